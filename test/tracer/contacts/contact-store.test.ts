import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { asTagNumber } from '../../../protocol/brands.js';
import { personOf } from '../../../tracer/contacts/people.js';
import { memoryContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { standingIn } from './all-contacts.js';
import { garrulous, standingOf, story } from './story.js';
import { events, inAnyOrder, openIn, shape, toldIn } from './told-anyhow.js';

const toldAnyhow = inAnyOrder(story, 9);

describe('a contact store', () => {
  it('holds what one book of all words would, with the same 24-hour sums, in whatever order and parts they come', () => {
    fc.assert(
      fc.property(toldAnyhow, fc.integer({ min: 1, max: 20 }), ({ words, told }, tableRows) => {
        const store = memoryContactStore(tableRows);
        for (const part of told) store.add(part);
        const expected = standingOf(words);
        expect(standingIn(store)).toEqual(expected);
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

  it('holds of what one tag says without end what one book would, in whatever order and parts it comes', () => {
    fc.assert(
      fc.property(inAnyOrder(garrulous, 60), ({ words, told }) => {
        const store = memoryContactStore(20);
        for (const part of told) store.add(part);
        expect(standingIn(store)).toEqual(standingOf(words));
      }),
      { numRuns: 60 },
    );
  });

  it('shows in a view what was there when it was taken, whatever comes later', () => {
    fc.assert(
      fc.property(toldAnyhow, fc.integer({ min: 1, max: 20 }), ({ told }, tableRows) => {
        const store = memoryContactStore(tableRows);
        const taken = told.map((part) => {
          store.add(part);
          const view = store.view();
          return { view, then: standingIn(store, view) };
        });
        for (const { view, then } of taken) expect(standingIn(store, view)).toEqual(then);
      }),
    );
  });

  it('knows in its next view somebody whom nobody met, and who was only seen', () => {
    const store = memoryContactStore();
    const before = store.view();
    const person = store.personOf(asTagNumber(77));
    expect(personOf(before.people, 77)).toBeUndefined();
    expect(personOf(store.view().people, 77)).toBe(person);
    expect(store.view()).toBe(store.view());
  });
});

describe('a contact store in a folder', () => {
  let dir = '';
  let stores = 0;
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'contacts-'))));
  afterAll(() => rm(dir, { recursive: true }));

  it('holds the same whenever it is sealed, compacted, saved and opened again between the words', async () => {
    let sealed = 0;
    const property = fc.asyncProperty(
      toldAnyhow,
      shape,
      events,
      async ({ words, told }, settings, between) => {
        const store = await toldIn(join(dir, String(stores++)), told, settings, between);
        await store.settled();
        const expected = standingOf(words);
        expect(standingIn(store)).toEqual(expected);
        const mutual = expected.filter((contact) => contact.mutual).length;
        expect(store.status()).toMatchObject({ contacts: expected.length, mutual });
        const ends = expected.map(({ end }) => end);
        expect(store.span()).toEqual({ from: expected[0]?.start, to: Math.max(...ends) });
        sealed += store.status().segments;
        await store.close();
      },
    );
    await fc.assert(property, { numRuns: 100 });
    expect(sealed).toBeGreaterThan(20);
  });

  it('shows what is past retention no more, from the next view on, although it lies in segments yet', async () => {
    let hidden = 0;
    const property = fc.asyncProperty(
      toldAnyhow,
      shape,
      fc.record({ part: fc.nat(), border: fc.double({ min: 0, max: 1, noNaN: true }) }),
      fc.boolean(),
      async ({ words, told }, settings, { part, border }, again) => {
        const folder = join(dir, String(stores++));
        let store = await openIn(folder, settings);
        const alone = memoryContactStore(settings.tableRows);
        const ends = words.map(({ end }) => end).sort((x, y) => x - y);
        const keepFrom = 1 + (ends[Math.floor(border * (ends.length - 1))] ?? 0);
        for (const [k, some] of told.entries()) {
          await store.ready();
          for (const one of [store, alone]) one.add(some);
          if (k !== part % told.length) continue;
          await store.settled();
          await store.save({ size: 1 });
          for (const one of [store, alone]) one.expireBefore(keepFrom);
          expect(standingIn(store)).toEqual(standingIn(alone));
          if (again) {
            await store.save({ size: 2 });
            await store.close();
            store = await openIn(folder, settings);
          }
          hidden += store.view().segments.filter(({ baseSeconds }) => baseSeconds < keepFrom).length;
        }
        expect(standingIn(store)).toEqual(standingIn(alone));
        expect(store.span()).toEqual(alone.span());
        await store.close();
      },
    );
    await fc.assert(property, { numRuns: 200 });
    expect(hidden).toBeGreaterThan(10);
  });
});
