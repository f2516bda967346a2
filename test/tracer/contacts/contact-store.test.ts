import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ContactStore } from '../../../tracer/contacts/contact-store.js';
import { placesOf } from '../../../tracer/contacts/pair-contacts.js';
import type { ContactView, Place } from '../../../tracer/contacts/view.js';
import type { Testimony } from '../../../tracer/testimony.js';
import { inOrder, standingOf, story } from './story.js';
import type { Standing } from './story.js';

function nearInDayAt(view: ContactView, { table, isLive, at }: Place): number {
  const tables = isLive ? view.live : view.segments;
  return tables.find(({ id }) => id === table)?.nearInDay[at] ?? NaN;
}

const contactsIn = (store: ContactStore, view = store.view()): Standing[] =>
  inOrder(
    [...placesOf(view)].map((place) => ({
      ...store.contactAt(view, place),
      nearInDay: nearInDayAt(view, place),
    })),
  );

/** A story in another order, cut into parts, some words told twice. */
const toldAnyhow = story.chain((words) =>
  fc.record({
    words: fc.constant(words),
    told: fc
      .tuple(
        fc.shuffledSubarray(words, { minLength: words.length }),
        fc.subarray(words),
        fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1 }),
      )
      .map(([all, again, sizes]) => partsOf([...all, ...again], sizes)),
  }),
);

function partsOf(words: readonly Testimony[], sizes: readonly number[]): Testimony[][] {
  const parts: Testimony[][] = [];
  for (let from = 0, k = 0; from < words.length; k++) {
    const size = sizes[k % sizes.length] ?? 1;
    parts.push(words.slice(from, from + size));
    from += size;
  }
  return parts;
}

describe('a contact store', () => {
  it('holds what one book of all words would, with the same 24-hour sums, in whatever order and parts they come', () => {
    fc.assert(
      fc.property(toldAnyhow, fc.integer({ min: 1, max: 20 }), ({ words, told }, tableRows) => {
        const store = new ContactStore({ tableRows });
        for (const part of told) store.add(part);
        const expected = standingOf(words);
        expect(contactsIn(store)).toEqual(expected);
        expect(store.status()).toMatchObject({
          contacts: expected.length,
          mutual: expected.filter(({ mutual }) => mutual).length,
        });
        const ends = expected.map(({ end }) => end);
        expect(store.span()).toEqual({ from: expected[0]?.start, to: Math.max(...ends) });
      }),
      { numRuns: 300 },
    );
  });

  it('shows in a view what was there when it was taken, whatever comes later', () => {
    fc.assert(
      fc.property(toldAnyhow, fc.integer({ min: 1, max: 20 }), ({ told }, tableRows) => {
        const store = new ContactStore({ tableRows });
        const taken = told.map((part) => {
          store.add(part);
          const view = store.view();
          return { view, then: contactsIn(store, view) };
        });
        for (const { view, then } of taken) expect(contactsIn(store, view)).toEqual(then);
      }),
    );
  });
});
