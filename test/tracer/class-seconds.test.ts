/** Close contacts whose seconds are summed when a walk asks: the same as by the definition, and how often evidence is read for them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch } from '../../protocol/brands.js';
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { personOf } from '../../tracer/contacts/people.js';
import type { ContactView } from '../../tracer/contacts/view.js';
import { trace } from '../../tracer/looks/trace.js';
import { ClassSeconds } from '../../tracer/walk/class-seconds.js';
import type { BucketsOf } from '../../tracer/walk/class-seconds.js';
import { OUT_OF_TIME, Pace } from '../../tracer/walk/pace.js';
import { closeContacts, referenceTrace } from '../reference/brute-force.js';
import { plainView, stageView } from '../reference/views.js';
import { asked, meeting } from './walk-stage.js';

const QUARTER = 900;
const DAY = 96 * QUARTER;

/** All day long, 60 s immediate, 60 s near and 60 s medium in each quarter of an hour. */
const together = (pairs: readonly (readonly [number, number])[], days: number) =>
  Array.from({ length: 96 * days }, (_, quarter) =>
    pairs.map(([a, b]) => ({
      ...meeting(a, b, DAY + QUARTER * quarter, 600),
      bucketSeconds: [60, 60, 60, 0] as const,
    })),
  ).flat();

/** The same, and how often it was asked. */
function counted(bucketsOf: BucketsOf | undefined) {
  const looks = { count: 0 };
  const counting: BucketsOf = (segment, entry) => {
    looks.count += 1;
    return bucketsOf?.(segment, entry) ?? [0, 0, 0, 0];
  };
  return { looks, bucketsOf: counting };
}

describe('a trace by medium', () => {
  it.each([
    ['of one pair that is never close', [[1, 2]], 96 * 180 + 1, 96],
    ['of one pair that is close after half a day', [[1, 2]], 48 * 180, 96],
    [
      'of three who meet each other',
      [
        [1, 2],
        [1, 3],
        [2, 3],
      ],
      20 * 180,
      3 * 96,
    ],
  ] as const)('reads the evidence of each contact once, %s', (_, pairs, minSeconds, most) => {
    const contacts = together(pairs, 1);
    const { view, options } = plainView(contacts);
    const { looks, bucketsOf } = counted(options.bucketsOf);
    const request = asked({
      case: '1',
      hops: 2,
      attenuation: 'medium',
      minSeconds,
      infectiousSeconds: 3 * DAY,
    });
    const told = trace(view, request, { ...options, bucketsOf });
    expect(told.reached.map(({ exposedAt }) => exposedAt)).toEqual(
      referenceTrace(contacts, request).reached.map(({ exposedAt }) => exposedAt),
    );
    expect(looks.count).toBeGreaterThan(0);
    expect(looks.count).toBeLessThanOrEqual(most);
  });

  it('reads no evidence from before the day that counts', () => {
    const days = 5;
    const { view, options } = plainView(together([[1, 2]], days));
    const { looks, bucketsOf } = counted(options.bucketsOf);
    const from = days * DAY;
    const request = asked({ case: '1', hops: 1, attenuation: 'medium', minSeconds: 96 * 180, from });
    expect(trace(view, request, { ...options, bucketsOf }).reachedCount).toBe(1);
    expect(looks.count).toBeLessThanOrEqual(2 * 96);
  });

  it('can be ended while it reads evidence', () => {
    const { view, options } = plainView(together([[1, 2]], 1));
    const request = asked({ case: '1', hops: 1, attenuation: 'medium', minSeconds: 96 * 180 });
    const flag = Int32Array.of(OUT_OF_TIME);
    expect(() => trace(view, request, { ...options, flag })).toThrow(
      expect.objectContaining({ code: 'timeout' }) as Error,
    );
  });
});

const drawnBuckets = fc.tuple(
  ...Array.from({ length: 3 }, () => fc.constantFrom(0, 300, 900)),
  fc.constant(20),
) as unknown as fc.Arbitrary<BucketSeconds>;

/** Of two pairs, ending a second before, at and after whole quarters: many are just a day apart, and some begin in another order than they end. */
const drawnContacts = fc
  .array(
    fc.record({
      other: fc.integer({ min: 2, max: 3 }),
      quarter: fc.integer({ min: 0, max: 200 }).map((k) => k - (k % 24)),
      shift: fc.constantFrom(0, 0, 1, 2),
      seconds: fc.constantFrom(0, 900, 2_700),
      buckets: drawnBuckets,
    }),
    { minLength: 1, maxLength: 30 },
  )
  .map((drawn) =>
    drawn.map(({ other, quarter, shift, seconds, buckets }, place) => {
      const end = DAY + QUARTER * quarter + shift;
      return {
        ...meeting(1, other, end - seconds, seconds),
        ...{ epoch: asEpoch(place), bucketSeconds: buckets },
      };
    }),
  );

/** Among `segments` of five tables, of which the last two are live. */
function drawer(seed: number, segments: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * (below === 5 ? segments : below));
  };
}

const numberOf = ({ people }: ContactView, tag: number): number => personOf(people, tag) ?? NaN;

describe('seconds of a class', () => {
  it('are those of the 24 hours up to the end, from either side, wherever they stand and whatever was asked before', () => {
    const drawn = [
      drawnContacts,
      fc.constantFrom('immediate', 'near', 'medium'),
      fc.constantFrom(1, 300, 900, 2_100),
      fc.integer({ min: 1, max: 2 ** 30 }),
      fc.option(fc.integer({ min: 0, max: 200 })),
    ] as const;
    fc.assert(
      fc.property(...drawn, (contacts, attenuation, minSeconds, seed, border) => {
        const draw = drawer(seed, border === null ? 5 : 3); // what is past retention is dead in a live table
        const { view: whole, options } = stageView(contacts, draw);
        const view = { ...whole, keepFrom: border === null ? 0 : DAY + QUARTER * border };
        const kept = contacts.filter(({ end }) => end >= view.keepFrom);
        const { looks, bucketsOf } = counted(options.bucketsOf);
        const from = kept[draw(kept.length)]?.end ?? 0;
        const inWindow = kept.filter(({ end }) => end >= from);
        const ends = { first: from, last: Math.max(from, ...kept.map(({ end }) => end)) };
        const question = { attenuation, minSeconds, ends, bucketsOf };
        const seconds = new ClassSeconds(view, question, new Pace(undefined));
        const close = new Set(closeContacts(kept, { minSeconds, attenuation }));
        for (const contact of draw(2) === 0 ? inWindow : inWindow.toReversed()) {
          const [one, other] = [numberOf(view, contact.a), numberOf(view, contact.b)];
          const sides = [seconds.reach(one, other, contact.end), seconds.reach(other, one, contact.end)];
          expect(sides).toEqual([close.has(contact), close.has(contact)]);
        }
        expect(looks.count).toBeLessThanOrEqual(contacts.length);
      }),
      { numRuns: 1_000 },
    );
  });
});
