import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { Contact } from '../../tracer/contact.js';
import type { Place } from '../../tracer/contacts/view.js';
import { contactRows } from '../../tracer/looks/person-contacts.js';
import type { ContactPlace, ContactRow } from '../../tracer/looks/person-contacts.js';
import { trace } from '../../tracer/looks/trace.js';
import { stageView } from '../reference/views.js';
import { asked, meeting } from './walk-stage.js';

const START = 1_700_000_100;
const END = START + 10_000;
const DAY = 86_400;

/** Of 1, who meets 2 to 4; some begin in the same second with the same person. */
const met = (peer: number, start: number, epoch: number): Contact => ({
  ...{ a: asTagNumber(1), b: asTagNumber(peer), epoch: asEpoch(epoch), start: START + 10 * start },
  ...{ end: START + 10 * start + 900, bucketSeconds: [900, 0, 0, 0], attenuationDb: 50 },
  ...{ mutual: true, partial: false, ledger: [epoch] },
});
const drawn = fc.uniqueArray(fc.tuple(fc.integer({ min: 2, max: 4 }), fc.nat(6), fc.nat(3)), {
  minLength: 1,
  maxLength: 30,
  selector: ([peer, , epoch]) => `${peer}/${epoch}`,
});

describe('a page of a person’s contacts', () => {
  it('begins where the one before ended, in order, each contact once, and reads the evidence of no more', async () => {
    const property = fc.asyncProperty(
      drawn,
      fc.nat(1e6),
      fc.integer({ min: 1, max: 7 }),
      async (all, seed, limit) => {
        let state = seed;
        const draw = (below: number): number => (state = (state * 48_271 + 11) % 2_147_483_647) % below;
        const contacts = all.map(([peer, start, epoch]) => met(peer, start, epoch));
        const staged = stageView(contacts, draw);
        const rows: ContactRow[] = [];
        let after: ContactPlace | undefined;
        for (let hasMore = true; hasMore; after = rows.at(-1)) {
          const read: Place[] = [];
          const noted = (place: Place): Contact => (read.push(place), staged.contactAt(place));
          const question = { person: '1', from: START, to: END, minSeconds: 900, limit, after };
          const page = await contactRows(staged.view, question, noted);
          ({ hasMore } = page);
          rows.push(...page.contacts);
          expect(page.contacts.length).toBeLessThanOrEqual(limit);
          if (hasMore) expect(page.contacts.length).toBe(limit);
          expect(read.length).toBeLessThanOrEqual(limit + 2 * 4); // and what begins with the rows at its ends
        }
        const inOrder = [...contacts].sort((x, y) => x.start - y.start || x.b - y.b || x.epoch - y.epoch);
        expect(rows.map(({ person, start, epoch }) => [person, start, epoch])).toEqual(
          inOrder.map(({ b, start, epoch }) => [String(b), start, epoch]),
        );
      },
    );
    await fc.assert(property, { numRuns: 200 });
  });

  it.each([65_535, 65_536, 75_600, 75_601])(
    'calls close what a trace goes by, from %i s on',
    async (minSeconds) => {
      const contacts = Array.from({ length: 90 }, (_, k) => meeting(1, 2, 900 * k, 900));
      for (const drawn of [0, 1]) {
        let state = 7;
        const draw = (below: number): number => (drawn * (state = (state * 48_271) % 2_147_483_647)) % below;
        const staged = stageView(contacts, draw);
        const question = { person: '1', from: 0, to: 90 * 900, minSeconds, limit: 90 };
        const { contacts: rows } = await contactRows(staged.view, question, (place) =>
          staged.contactAt(place),
        );
        const inDay = rows.map(
          ({ end }) => 900 * rows.filter((one) => one.end <= end && one.end > end - DAY).length,
        );
        expect(rows.map(({ qualifies }) => qualifies)).toEqual(inDay.map((near) => near >= minSeconds));
        const { reached } = trace(staged.view, asked({ case: '1', hops: 1, minSeconds }), staged.options);
        expect(reached.map(({ exposedAt }) => exposedAt)).toEqual(
          rows
            .filter(({ qualifies }) => qualifies)
            .slice(0, 1)
            .map(({ end }) => end),
        );
      }
    },
  );

  it('lets others have their turns, and stops when it is called off', async () => {
    const contacts = Array.from({ length: 400 }, (_, k) => met(2 + k, k, k));
    const staged = stageView(contacts, () => 0);
    const abort = new AbortController();
    let read = 0;
    const slowly = (place: Place): Contact => {
      read += 1;
      for (const untilMs = performance.now() + 1; performance.now() < untilMs;);
      return staged.contactAt(place);
    };
    const question = { person: '1', from: START, to: END, minSeconds: 900, limit: 400 };
    setImmediate(() => abort.abort(new Error('enough'))); // has its turn only when one is left to it
    const asked = contactRows(staged.view, question, slowly, abort.signal);
    await expect(asked).rejects.toThrow('enough');
    expect(read).toBeLessThan(400);
  });
});
