import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { asTagNumber } from '../../../protocol/brands.js';
import { personOf } from '../../../tracer/contacts/people.js';
import { memoryContactStore, openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import type { Testimony } from '../../../tracer/records/testimony.js';
import { standingIn } from './all-contacts.js';
import { garrulous, standingOf, story } from './story.js';

/** A story in another order, cut into parts, some words told twice. */
const inAnyOrder = (stories: typeof story, mostAtOnce: number) =>
  stories.chain((words) =>
    fc.record({
      words: fc.constant(words),
      told: fc
        .tuple(
          fc.shuffledSubarray(words, { minLength: words.length }),
          fc.subarray(words),
          fc.array(fc.integer({ min: 1, max: mostAtOnce }), { minLength: 1 }),
        )
        .map(([all, again, sizes]) => partsOf([...all, ...again], sizes)),
    }),
  );
const toldAnyhow = inAnyOrder(story, 9);

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

/** What may happen to a store between two words. */
const event = fc.constantFrom('nothing', 'sealed', 'saved', 'saved and sealed', 'opened again');

describe('a contact store in a folder', () => {
  let dir = '';
  let stores = 0;
  beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'contacts-'))));
  afterAll(() => rm(dir, { recursive: true }));

  const shape = fc.record({
    tableRows: fc.integer({ min: 4, max: 20 }),
    leastRows: fc.integer({ min: 1, max: 4 }),
    waitingTables: fc.integer({ min: 0, max: 2 }),
  });
  const openIn = (
    folder: string,
    settings: { tableRows: number; leastRows: number; waitingTables: number },
  ) =>
    openContactStore(folder, {
      ...settings,
      log: silentLog,
      startThread: inlineTasks(NODE_STORE_DISK),
    });

  it('holds the same whenever it is sealed, compacted, saved and opened again between the words', async () => {
    let sealed = 0;
    const property = fc.asyncProperty(
      toldAnyhow,
      shape,
      fc.array(event, { minLength: 1, maxLength: 6 }),
      async ({ words, told }, settings, events) => {
        const folder = join(dir, String(stores++));
        let store = await openIn(folder, settings);
        for (const [k, part] of told.entries()) {
          await store.ready();
          store.add(part);
          const next = events[k % events.length];
          if (next?.includes('saved') || next === 'opened again') await store.save({ size: 1 });
          if (next?.includes('sealed')) await store.settled();
          if (next === 'opened again') {
            await store.close();
            store = await openIn(folder, settings);
          }
        }
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
