/** The tracer against the reference on thousands of small graphs made to collide: ties, windows, days, one-sided contacts. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { buildContactGraph } from '../../tracer/contact-graph.js';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/trace.js';
import type { ReachedPerson, TraceRequest } from '../../tracer/trace-result.js';
import { referenceTrace } from './brute-force.js';
import type { ReferenceRow } from './brute-force.js';
import { contactOf, pathFaults } from './path-faults.js';

const HOUR = 3600;
const RUNS = { numRuns: 3000 };

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

const drawnSettings = fc.record({
  hops: fc.integer({ min: 1, max: 5 }),
  window: fc.constantFrom([0, 62 * HOUR], [6 * HOUR, 50 * HOUR], [0, 24 * HOUR], [12 * HOUR, 12 * HOUR]),
  minSeconds: fc.constantFrom(0, 1, 300, 900, 1200),
  latentSeconds: fc.constantFrom(0, 900, HOUR, 24 * HOUR),
});
const drawnInfectious = fc.constantFrom(undefined, 0, HOUR, 10 * HOUR, 48 * HOUR);
const drawnDirection = fc.constantFrom('forward', 'backward', 'both');

type Settings = typeof drawnSettings extends fc.Arbitrary<infer T> ? T : never;

function requestOf(
  indexCase: number,
  direction: TraceRequest['direction'],
  { hops, window: [from = 0, to = 0], minSeconds, latentSeconds }: Settings,
  infectiousSeconds?: number,
): TraceRequest {
  const common = { case: String(indexCase), direction, hops, from, to, minSeconds, latentSeconds };
  return infectiousSeconds === undefined ? common : { ...common, infectiousSeconds };
}

function expectRows(
  rows: readonly ReachedPerson[],
  expected: readonly ReferenceRow[],
  contacts: readonly Contact[],
  direction: 'forward' | 'backward',
): void {
  expect(
    rows.map(({ person, hop, exposedAt, earliestAt }) => [Number(person), hop, exposedAt, earliestAt]),
  ).toEqual(expected.map(({ person, hop, exposedAt, earliestAt }) => [person, hop, exposedAt, earliestAt]));
  rows.forEach((row, place) => {
    expect(row.score).toBeCloseTo(expected[place]?.score ?? NaN, 12);
    const step = direction === 'forward' ? row.path.at(-1) : row.path[0];
    const contact = step && contactOf(step, contacts);
    const neighbour = direction === 'forward' ? step?.from : step?.to;
    expect([contact?.attenuationDb, step?.nearSeconds, Number(neighbour)]).toEqual(expected[place]?.via);
  });
}

describe('on thousands of random small graphs', () => {
  it('the tracer reaches whom the definitions reach, when, by which step and with which score', () => {
    const drawn = [drawnContacts, drawnDirection, drawnSettings, drawnInfectious] as const;
    fc.assert(
      fc.property(...drawn, (contacts, direction, settings, infectious) => {
        const request = requestOf(contacts[0]?.a ?? NaN, direction, settings, infectious);
        const result = trace(buildContactGraph(contacts), request);
        const reference = referenceTrace(contacts, request);
        const walked = direction === 'backward' ? 'backward' : 'forward';
        expectRows(result.reached, reference.reached, contacts, walked);
        expectRows(result.sources ?? [], reference.sources ?? [], contacts, 'backward');
        expect(result.sources === undefined).toBe(direction !== 'both');
        for (const row of result.reached) expect(pathFaults(contacts, request, row, walked)).toEqual([]);
        for (const row of result.sources ?? [])
          expect(pathFaults(contacts, request, row, 'backward')).toEqual([]);
      }),
      RUNS,
    );
  });

  it('names for each person of a trace both ways a start it came from: the case or a possible source', () => {
    fc.assert(
      fc.property(drawnContacts, drawnSettings, (contacts, settings) => {
        const {
          reached,
          sources,
          case: indexCase,
        } = trace(buildContactGraph(contacts), requestOf(contacts[0]?.a ?? NaN, 'both', settings));
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
      fc.property(drawnContacts, drawnSettings, (contacts, settings) => {
        const graph = buildContactGraph(contacts);
        const people = [...graph.people];
        const pairsOf = (direction: 'forward' | 'backward') =>
          people.flatMap((u) =>
            trace(graph, requestOf(u, direction, settings)).reached.map(({ person }) =>
              direction === 'forward' ? `${u} to ${person}` : `${person} to ${u}`,
            ),
          );
        expect(pairsOf('backward').sort()).toEqual(pairsOf('forward').sort());
      }),
      { numRuns: 1500 },
    );
  });

  it('the order in which contacts are given does not matter', () => {
    const shuffled = drawnContacts.chain((contacts) =>
      fc.tuple(fc.constant(contacts), fc.shuffledSubarray(contacts, { minLength: contacts.length })),
    );
    fc.assert(
      fc.property(
        shuffled,
        drawnDirection,
        drawnSettings,
        drawnInfectious,
        ([one, other], direction, s, infectious) => {
          const request = requestOf(one[0]?.a ?? NaN, direction, s, infectious);
          expect(trace(buildContactGraph(other), request)).toEqual(trace(buildContactGraph(one), request));
        },
      ),
      { numRuns: 1000 },
    );
  });
});
