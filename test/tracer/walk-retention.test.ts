/** Walks over segments that still hold contacts past retention, against the definitions on what is left without them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch } from '../../protocol/brands.js';
import { trace } from '../../tracer/looks/trace.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import { contactsOfPair, contactsOfPerson, placesOf } from '../../tracer/contacts/pair-contacts.js';
import { personOf } from '../../tracer/contacts/people.js';
import type { Place } from '../../tracer/contacts/view.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { referenceTrace } from '../reference/brute-force.js';
import type { ReferenceRow } from '../reference/brute-force.js';
import { stageView } from '../reference/views.js';
import { meeting } from './walk-stage.js';

const HOUR = 3600;
const space = new WalkWorkspace();

const drawnContacts = fc
  .array(
    fc.record({
      pair: fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { minLength: 2, maxLength: 2 }),
      quarter: fc.integer({ min: 0, max: 40 }),
      seconds: fc.constantFrom(0, 900, 1800, HOUR),
    }),
    { minLength: 1, maxLength: 24 },
  )
  .map((drawn) =>
    drawn.map(({ pair: [a = 0, b = 0], quarter, seconds }, place) => ({
      ...meeting(a, b, quarter * 900, seconds),
      epoch: asEpoch(place),
      ledger: [place],
    })),
  );

const drawnRequest = fc.record({
  direction: fc.constantFrom('forward', 'backward', 'both'),
  hops: fc.integer({ min: 1, max: 4 }),
  from: fc.constantFrom(0, 3 * HOUR),
  to: fc.constantFrom(6 * HOUR, 12 * HOUR),
  latentSeconds: fc.constantFrom(0, 900),
  /** Summed when it is asked: what is past retention is not in the sum. */
  closeness: fc.constantFrom(
    { minSeconds: 0, attenuation: 'near' } as const,
    { minSeconds: 1800, attenuation: 'medium' } as const,
  ),
  infectiousSeconds: fc.constantFrom(undefined, HOUR),
});

/** Only segments, as of live tables what is past retention is dead: five tables are drawn from, of which three are segments. */
function drawer(seed: number): (below: number) => number {
  let state = seed;
  return (below) => {
    state = (state * 48_271) % 2_147_483_647;
    return Math.floor((state / 2_147_483_647) * (below === 5 ? 3 : below));
  };
}

const told = (rows: readonly ReferenceRow[] = []) =>
  rows.map(({ person, hop, exposedAt, earliestAt, score }) => ({
    ...{ person: Number(person), hop, exposedAt, earliestAt },
    score: Number(score.toFixed(9)),
  }));

describe('a view with a border of retention', () => {
  it('is walked as if what ended before had never been', () => {
    fc.assert(
      fc.property(
        drawnContacts,
        drawnRequest,
        fc.integer({ min: 0, max: 44 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        (contacts, { closeness, infectiousSeconds, ...asked }, border, seed) => {
          const keepFrom = border * 900;
          const kept = contacts.filter(({ end }) => end >= keepFrom);
          const { view, options } = stageView(contacts, drawer(seed));
          const cut = { ...view, keepFrom };
          const indexCase = contacts[0]?.a ?? 0;
          const plain = { case: String(indexCase), ...asked, ...closeness };
          const request: TraceRequest =
            infectiousSeconds === undefined ? plain : { ...plain, infectiousSeconds };
          if (!kept.some(({ a, b }) => a === indexCase || b === indexCase)) {
            expect(() => trace(cut, request, options)).toThrow(
              expect.objectContaining({ code: 'not-found' }),
            );
            return;
          }
          const expected = referenceTrace(kept, request, []);
          for (const rounds of ['rows', 'sweep'] as const) {
            const { reached, sources } = trace(cut, request, { ...options, rounds, space });
            const rowsOf = (rows: typeof reached = []) =>
              rows.map((row) => ({
                ...row,
                person: Number(row.person),
                score: Number(row.score.toFixed(9)),
              }));
            expect(rowsOf(reached)).toMatchObject(told(expected.reached));
            expect(reached.length).toBe(expected.reached.length);
            expect(rowsOf(sources)).toMatchObject(told(expected.sources));
          }
        },
      ),
      { numRuns: 1500 },
    );
  });

  it('lists no contact that ended before it, of a person, of a pair or of all', () => {
    fc.assert(
      fc.property(
        drawnContacts,
        fc.integer({ min: 0, max: 44 }),
        fc.integer({ min: 1, max: 2 ** 30 }),
        (contacts, border, seed) => {
          const keepFrom = border * 900;
          const staged = stageView(contacts, drawer(seed));
          const { view } = staged;
          const cut = { ...view, keepFrom };
          const keptBy = (isAsked: (a: number, b: number) => boolean) =>
            contacts
              .filter(({ a, b, end }) => end >= keepFrom && isAsked(a, b))
              .map(({ epoch }) => epoch)
              .sort((x, y) => x - y);
          const epochs = (places: Iterable<Place>) =>
            [...places].map((place) => staged.contactAt(place).epoch).sort((x, y) => x - y);
          const [one, other] = [contacts[0]?.a ?? 0, contacts[0]?.b ?? 0];
          const [p, q] = [personOf(view.people, one) ?? -1, personOf(view.people, other) ?? -1];
          expect(epochs(placesOf(cut))).toEqual(keptBy(() => true));
          const met = [...contactsOfPerson(cut, p, 0, 50 * HOUR)];
          expect(epochs(met.map(({ place }) => place))).toEqual(keptBy((a, b) => a === one || b === one));
          const ofPair = contactsOfPair(cut, p, q, 0, 50 * HOUR);
          expect(epochs(ofPair)).toEqual(keptBy((a, b) => a === one && b === other));
        },
      ),
      { numRuns: 500 },
    );
  });
});
