/** Small random graphs, and cases among the people in them. */
import fc from 'fast-check';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import type { Contact } from '../../../tracer/contact.js';

const HOUR = 3600;
export const END = 60 * HOUR;

export const drawnContacts: fc.Arbitrary<Contact[]> = fc
  .array(
    fc.record({
      pair: fc.uniqueArray(fc.integer({ min: 1, max: 7 }), { minLength: 2, maxLength: 2 }),
      hour: fc.integer({ min: 0, max: 50 }),
      seconds: fc.constantFrom(60, 900, HOUR),
      mutual: fc.boolean(),
    }),
    { minLength: 3, maxLength: 22 },
  )
  .map((drawn) =>
    drawn.map(({ pair, hour, seconds, mutual }, place) => ({
      ...{ a: asTagNumber(Math.min(...pair)), b: asTagNumber(Math.max(...pair)), epoch: asEpoch(place) },
      ...{ start: hour * HOUR, end: hour * HOUR + seconds, bucketSeconds: [seconds, 0, 0, 0] as const },
      ...{ attenuationDb: 50, mutual, partial: false, ledger: [place] },
    })),
  );

export const drawnCases = fc.uniqueArray(
  fc.record({
    tag: fc.integer({ min: 1, max: 7 }).map(String),
    onset: fc.integer({ min: 10 * HOUR, max: END }),
  }),
  { minLength: 2, maxLength: 4, selector: ({ tag }) => tag },
);
