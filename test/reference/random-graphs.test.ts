/**
 * The tracer against the reference on thousands of small graphs made to collide: ties, windows, days, one-sided contacts;
 * in one segment, or scattered over segments and live tables among words that do not count.
 */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceRequest, TraceResult, WalkRequest } from '../../tracer/looks/trace-result.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { closeContacts, referenceTrace } from './brute-force.js';
import type { ReferenceStay } from './brute-force.js';
import { expectRows } from './expect-rows.js';
import { plainView, stageView, tagsOf } from './views.js';

const HOUR = 3600;
const RUNS = { numRuns: 3000 };
/** One for all: what a walk leaves behind would show in the next. */
const space = new WalkWorkspace();

const drawnContact = fc.record({
  pair: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 2 }),
  hour: fc.integer({ min: 0, max: 60 }),
  seconds: fc.constantFrom(0, 60, 900, HOUR),
  immediate: fc.constantFrom(0, 300, 600),
  near: fc.constantFrom(0, 300),
  medium: fc.constantFrom(0, 600),
  attenuationDb: fc.constantFrom(40, 50),
  mutual: fc.boolean(),
});

const drawnContacts: fc.Arbitrary<Contact[]> = fc
  .array(drawnContact, { minLength: 1, maxLength: 24 })
  .map((drawn) =>
    drawn.map(({ pair, hour, seconds, immediate, near, medium, attenuationDb, mutual }, place) => ({
      a: asTagNumber(Math.min(...pair)),
      b: asTagNumber(Math.max(...pair)),
      epoch: asEpoch(place),
      start: hour * HOUR,
      end: hour * HOUR + seconds,
      bucketSeconds: [immediate, near, medium, 20],
      attenuationDb,
      mutual,
      partial: false,
      ledger: [place],
    })),
  );

const drawnStays: fc.Arbitrary<ReferenceStay[]> = fc
  .array(
    fc.record({
      tag: fc.integer({ min: 1, max: 7 }),
      gateway: fc.integer({ min: 0, max: 1 }),
      hour: fc.integer({ min: 0, max: 60 }),
      seconds: fc.constantFrom(0, 900, HOUR, 8 * HOUR),
    }),
    { maxLength: 10 },
  )
  .map((drawn) =>
    drawn.map(({ hour, seconds, ...stay }) => ({
      ...stay,
      start: hour * HOUR,
      end: hour * HOUR + seconds,
    })),
  );

const drawnSettings = fc.record({
  hops: fc.integer({ min: 1, max: 5 }),
  window: fc.constantFrom([0, 62 * HOUR], [6 * HOUR, 50 * HOUR], [0, 24 * HOUR], [12 * HOUR, 12 * HOUR]),
  minSeconds: fc.constantFrom(0, 1, 300, 900, 1200),
  latentSeconds: fc.constantFrom(0, 900, HOUR, 24 * HOUR),
  attenuation: fc.constantFrom('immediate', 'near', 'near', 'medium'),
});
const drawnInfectious = fc.constantFrom(undefined, 0, HOUR, 10 * HOUR, 48 * HOUR);
const drawnDirection = fc.constantFrom('forward', 'backward', 'both');
const drawnRounds = fc.constantFrom('auto', 'rows', 'sweep');
/** How a view is scattered; 0 for not at all. */
const drawnScatter = fc.oneof(fc.constant(0), fc.integer({ min: 1, max: 2 ** 30 }));

type Settings = typeof drawnSettings extends fc.Arbitrary<infer T> ? T : never;

/** A number below the one given, again and again: a Lehmer generator, or always 0. */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * below);
  };
}

function requestOf(
  indexCase: number,
  direction: TraceRequest['direction'],
  { hops, window: [from = 0, to = 0], minSeconds, latentSeconds, attenuation }: Settings,
  infectiousSeconds?: number,
): TraceRequest {
  const common = {
    case: String(indexCase),
    direction,
    hops,
    from,
    to,
    minSeconds,
    latentSeconds,
    attenuation,
  };
  return infectiousSeconds === undefined ? common : { ...common, infectiousSeconds };
}

describe('on thousands of random small graphs', () => {
  it('the tracer reaches whom the definitions reach, when, by which step and with which score', () => {
    const asked = fc.tuple(drawnDirection, drawnSettings, drawnInfectious);
    const drawn = [drawnContacts, asked, drawnRounds, drawnScatter, fc.option(drawnStays)] as const;
    fc.assert(
      fc.property(...drawn, (contacts, [direction, settings, infectious], rounds, scatter, seen) => {
        const stays = seen ?? [];
        const plain = requestOf(contacts[0]?.a ?? NaN, direction, settings, infectious);
        const request = seen === null ? plain : { ...plain, presence: true };
        const { view, options } = stageView(contacts, drawer(scatter), stays);
        const result = trace(view, request, { ...options, rounds, space });
        const reference = referenceTrace(contacts, request, stays);
        const close = closeContacts(contacts, request, stays);
        const walked = direction === 'backward' ? 'backward' : 'forward';
        expectRows(result.reached, reference.reached, close, request, walked);
        expectRows(result.sources ?? [], reference.sources ?? [], close, request, 'backward');
        expect([result.reachedCount, result.sourceCount]).toEqual([
          reference.reached.length,
          reference.sources?.length,
        ]);
        expect(result.sources === undefined).toBe(direction !== 'both');
      }),
      RUNS,
    );
  });

  it('so does a walk backward from somebody whose own infectious period does not count', () => {
    const drawn = [drawnContacts, drawnSettings, drawnInfectious, drawnRounds, drawnScatter] as const;
    fc.assert(
      fc.property(...drawn, (contacts, settings, infectious, rounds, scatter) => {
        const plain = requestOf(contacts[0]?.a ?? NaN, 'backward', settings, infectious);
        const request: WalkRequest = { ...plain, endlessStarts: true };
        const { view, options } = stageView(contacts, drawer(scatter));
        const { reached } = trace(view, request, { ...options, rounds, space });
        const expected = referenceTrace(contacts, request).reached;
        expectRows(reached, expected, closeContacts(contacts, request), request, 'backward');
      }),
      RUNS,
    );
  });

  it('names for each person of a trace both ways a start it came from: the case or a possible source', () => {
    fc.assert(
      fc.property(drawnContacts, drawnSettings, (contacts, settings) => {
        const { view, options } = plainView(contacts);
        const {
          reached,
          sources,
          case: indexCase,
        } = trace(view, requestOf(contacts[0]?.a ?? NaN, 'both', settings), options);
        const starts = [indexCase, ...(sources ?? []).map(({ person }) => person)];
        for (const { source, person } of reached) {
          expect(starts).toContain(source);
          expect(starts).not.toContain(person);
        }
      }),
      RUNS,
    );
  });

  it('v is in forward(u) exactly when u is in backward(v), without an infectious period', () => {
    fc.assert(
      fc.property(
        drawnContacts,
        drawnSettings,
        drawnScatter,
        drawnRounds,
        (contacts, settings, scatter, rounds) => {
          const { view, options } = stageView(contacts, drawer(scatter));
          const people = tagsOf(view);
          const pairsOf = (direction: 'forward' | 'backward') =>
            people.flatMap((u) =>
              trace(view, requestOf(u, direction, settings), { ...options, rounds, space }).reached.map(
                ({ person }) => (direction === 'forward' ? `${u} to ${person}` : `${person} to ${u}`),
              ),
            );
          expect(pairsOf('backward').sort()).toEqual(pairsOf('forward').sort());
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('how contacts are stored and rounds are walked does not matter', () => {
    fc.assert(
      fc.property(
        drawnContacts,
        fc.tuple(drawnDirection, drawnSettings, drawnInfectious),
        drawnScatter,
        (contacts, [direction, settings, infectious], scatter) => {
          const request = requestOf(contacts[0]?.a ?? NaN, direction, settings, infectious);
          const one = plainView(contacts);
          const other = stageView(contacts, drawer(scatter));
          const known = trace(one.view, request, { ...one.options, rounds: 'rows', space });
          for (const rounds of ['sweep', 'auto'] as const)
            expectSame(trace(other.view, request, { ...other.options, rounds, space }), known);
        },
      ),
      { numRuns: 1500 },
    );
  });
});

/** But for what rounding makes of another order of multiplication, and contacts that agree in all that is compared. */
function expectSame(one: TraceResult, other: TraceResult): void {
  const told = ({ reached, sources, ...asked }: TraceResult) => ({
    ...asked,
    rows: [reached, sources ?? []].map((rows) =>
      rows.map(({ score, path, ...row }) => ({
        ...row,
        score: score.toFixed(12),
        path: path.map(({ from, to, start, end, nearSeconds }) => [from, to, start, end, nearSeconds]),
      })),
    ),
  });
  expect(told(one)).toEqual(told(other));
}
