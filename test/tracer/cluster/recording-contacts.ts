/** A recording as contacts, one a pair and epoch, by the replay rule of docs/tracing.md, without walking the whole path. */
import { asEpoch } from '../../../protocol/brands.js';
import type { ContactRecording } from '../../../firmware-sim/recorded/contact-recording.js';
import { EPOCH_SECONDS } from '../../../protocol/time.js';
import type { Contact } from '../../../tracer/contact.js';

const STEP_SECONDS = 20;

/** In order of start. */
export function contactsOfRecording({ persons, contacts }: ContactRecording): Contact[] {
  const known = new Map<string, Contact>();
  for (const { a, b, startMs, endMs } of contacts) {
    const pair = [persons[a], persons[b]] as const;
    for (let start = startMs / 1000; start < endMs / 1000; start += STEP_SECONDS) addStep(known, pair, start);
  }
  return [...known.values()].sort((x, y) => x.start - y.start || x.a - y.a || x.b - y.b);
}

function addStep(
  known: Map<string, Contact>,
  [a, b]: readonly [Contact['a'] | undefined, Contact['b'] | undefined],
  start: number,
): void {
  if (a === undefined || b === undefined) throw new RangeError('a contact of people in the recording');
  const epoch = asEpoch(Math.floor(start / EPOCH_SECONDS));
  const key = `${a} ${b} ${epoch}`;
  const before = known.get(key);
  known.set(key, {
    ...{ a, b, epoch, attenuationDb: 50, mutual: true, partial: false, ledger: [] },
    start: before?.start ?? start,
    end: start + STEP_SECONDS,
    bucketSeconds: [(before?.bucketSeconds[0] ?? 0) + STEP_SECONDS, 0, 0, 0],
  });
}
