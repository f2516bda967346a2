/** Views for tests of walks that are larger than what the definitions are held against. */
import type { Contact } from '../../tracer/contact.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { plainView } from '../reference/views.js';
import type { StagedView } from '../reference/views.js';

/** Tags of the people of {@link city} begin here. */
export const FIRST_TAG = 100;

/** `a` met `b` for `seconds`, all of them near, from `start` on. */
export const meeting = (a: number, b: number, start: number, seconds = 60): Contact => ({
  a: asTagNumber(Math.min(a, b)),
  b: asTagNumber(Math.max(a, b)),
  epoch: asEpoch(Math.floor(start / 900)),
  start,
  end: start + seconds,
  bucketSeconds: [0, seconds, 0, 0],
  attenuationDb: 50,
  mutual: true,
  partial: false,
  ledger: [],
});

/** Meetings of everybody with everybody, now and then, in an order that only looks random. */
export function city(people: number, meetings: number): StagedView {
  const contacts = Array.from({ length: meetings }, (_, k) => {
    const a = (k * 7_919) % people;
    const b = (a + 1 + ((k * 104_729) % (people - 1))) % people;
    return meeting(FIRST_TAG + a, FIRST_TAG + b, 10_000 + 20 * Math.floor(k / 7), 60 + (k % 600));
  });
  return plainView(contacts);
}

export const asked = (changes: Partial<TraceRequest> = {}): TraceRequest => ({
  ...{ case: String(FIRST_TAG), direction: 'forward', hops: 4, from: 0, to: 2 ** 31 },
  ...{ minSeconds: 0, latentSeconds: 0 },
  ...changes,
});
