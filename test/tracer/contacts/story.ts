/** Random words of two sides about meetings, and what the definitions make of them: a book of all, arranged in one go. */
import fc from 'fast-check';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { EPOCH_SECONDS } from '../../../protocol/time.js';
import type { Testimony } from '../../../tracer/records/testimony.js';
import { ContactBook } from '../oracle/contact-book.js';
import { buildContactGraph } from '../oracle/contact-graph.js';
import type { Standing } from './all-contacts.js';

export const FIRST_EPOCH = 1_944_000;

/** Few people and few epochs, near midnight and a day apart, so that much falls on the same. */
const word = fc.record({
  people: fc.constantFrom([1, 2], [2, 1], [3, 1], [1, 3], [3, 2], [2 ** 40, 1]),
  epoch: fc.oneof(fc.integer({ min: 0, max: 5 }), fc.constantFrom(95, 96, 97, 191, 192, 193, 290)),
  offset: fc.integer({ min: -900, max: 1799 }),
  seconds: fc.integer({ min: 0, max: 900 }),
  immediate: fc.nat(400),
  near: fc.nat(400),
  medium: fc.nat(50),
  other: fc.nat(9),
  attenuation: fc.integer({ min: 30, max: 90 }),
  partial: fc.boolean(),
});

interface DrawnWord {
  readonly people: readonly number[];
  readonly epoch: number;
  readonly offset: number;
  readonly seconds: number;
  readonly immediate: number;
  readonly near: number;
  readonly medium: number;
  readonly other: number;
  readonly attenuation: number;
  readonly partial: boolean;
}

function testimonyOf(drawn: DrawnWord, ledgerIndex: number): Testimony {
  const { people, epoch, offset, seconds, immediate, near, medium, other, attenuation, partial } = drawn;
  const start = (FIRST_EPOCH + epoch) * EPOCH_SECONDS + offset;
  return {
    reporter: asTagNumber(people[0] ?? 0),
    peer: asTagNumber(people[1] ?? 0),
    epoch: asEpoch(FIRST_EPOCH + epoch),
    start,
    end: Math.min(start + seconds, (FIRST_EPOCH + epoch + 2) * EPOCH_SECONDS),
    bucketSeconds: [immediate, near, medium, other],
    medianAttenuationDb: attenuation,
    partial,
    ledgerIndex,
  };
}

/** Words in the order they are logged. */
export const story = fc.array(word, { minLength: 1, maxLength: 40 }).map((words) => words.map(testimonyOf));

/** What one of two says of a meeting, in numbers so round that words of two often tie, and as often differ. */
const roundWord = fc.record({
  isTurned: fc.boolean(),
  offset: fc.constantFrom(-300, 0, 0, 300, 900),
  seconds: fc.constantFrom(0, 300, 600, 900),
  immediate: fc.constantFrom(0, 0, 300, 600),
  near: fc.constantFrom(0, 300, 600),
  medium: fc.constantFrom(0, 600),
  other: fc.constant(20),
  attenuation: fc.constantFrom(40, 50),
  partial: fc.boolean(),
});

/** A story of six people, most of whose meetings both sides tell, and not the same: something to walk over. */
export const crowd = fc
  .array(
    fc.record({
      pair: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 2 }),
      epoch: fc.oneof(fc.integer({ min: 0, max: 8 }), fc.constantFrom(95, 96, 97, 192)),
      words: fc.array(roundWord, { minLength: 1, maxLength: 4 }),
    }),
    { minLength: 6, maxLength: 20, size: 'max' },
  )
  .map((meetings) =>
    meetings
      .flatMap(({ pair, epoch, words }) =>
        words.map(({ isTurned, ...said }) => ({
          ...{ ...said, epoch, people: isTurned ? pair.toReversed() : pair },
        })),
      )
      .map(testimonyOf),
  );

const MEETING = EPOCH_SECONDS * FIRST_EPOCH;

/** What two tags say of one meeting in reports of many words each: of one side there are always more than count (decisions/0024). */
export const garrulous = fc
  .array(
    fc.record({
      people: fc.constantFrom([1, 2], [2, 1]),
      words: fc.uniqueArray(word, {
        ...{ selector: ({ offset }) => offset % 60, comparator: 'SameValueZero' }, // -60 % 60 is -0
        ...{ minLength: 9, maxLength: 20 },
      }),
    }),
    { minLength: 8, maxLength: 12 },
  )
  .map((reports) =>
    reports.flatMap(({ people: [reporter = 0, peer = 0], words }, ledgerIndex) =>
      words.map(({ offset, seconds, attenuation, partial, ...buckets }): Testimony => {
        const start = MEETING + (offset % 60);
        return {
          ...{ reporter: asTagNumber(reporter), peer: asTagNumber(peer), epoch: asEpoch(FIRST_EPOCH) },
          ...{ start, end: start + (seconds % 40), partial, ledgerIndex },
          bucketSeconds: [buckets.immediate, buckets.near, buckets.medium, buckets.other],
          medianAttenuationDb: attenuation,
        };
      }),
    ),
  );

/** A quarter of an hour that one tag tells of another, in the so many-th epoch of the story. */
export function wordOf(reporter: number, peer: number, epoch: number): Testimony {
  const start = (FIRST_EPOCH + epoch) * EPOCH_SECONDS;
  return {
    ...{ reporter: asTagNumber(reporter), peer: asTagNumber(peer), epoch: asEpoch(FIRST_EPOCH + epoch) },
    ...{ start, end: start + 900, bucketSeconds: [300, 200, 100, 50], medianAttenuationDb: 50 },
    ...{ partial: false, ledgerIndex: epoch },
  };
}

/** By start, pair and epoch. */
export function standingOf(testimonies: readonly Testimony[]): Standing[] {
  const book = new ContactBook();
  for (const testimony of testimonies) book.add(testimony);
  const graph = buildContactGraph(book.contacts());
  return graph.contacts.map((contact, k) => ({ ...contact, nearInDay: graph.nearInDay[k] ?? NaN }));
}
