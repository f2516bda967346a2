/** A store near the end of its versions, and one in which a change failed half way. */
import { setImmediate as breathe } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import { silentLog } from '../../../protocol/log.js';
import type { ContactStore } from '../../../tracer/contacts/contact-store.js';
import { memoryContactStore, openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { standingIn } from './all-contacts.js';
import { temporaryFolder } from './stage.js';
import { standingOf, story, wordOf } from './story.js';

/** What versions may not pass: 2^28 before the end. */
const LAST_VERSION = 2 ** 32 - 2 ** 28;

const openIn = (dir: string, firstVersion = 1): Promise<ContactStore> =>
  openContactStore(dir, {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 8, leastRows: 1, waitingTables: 0, firstVersion },
  });

describe('a store whose versions are large', () => {
  it('holds the same as with small ones, live and sealed, across the border of signed numbers', async () => {
    const property = fc.asyncProperty(story, fc.integer({ min: 0, max: 30 }), async (words, before) => {
      const stores = [
        memoryContactStore(8, 2 ** 31 - before),
        await openIn(await temporaryFolder(), 2 ** 31 - before),
        await openIn(await temporaryFolder(), LAST_VERSION - 1),
      ];
      const half = words.length >> 1;
      for (const [k, store] of stores.entries()) {
        if (k < 2) store.add(words.slice(0, half));
        await store.settled();
        const view = store.view();
        const then = standingIn(store, view);
        store.add(k < 2 ? words.slice(half) : words);
        await store.settled();
        expect(standingIn(store)).toEqual(standingOf(words));
        expect(standingIn(store, view)).toEqual(then);
        await store.close();
      }
    });
    await fc.assert(property, { numRuns: 60 });
  });

  it('takes no more when they run out, and goes on from what was saved when it is begun anew', async () => {
    const store = await openIn(await temporaryFolder(), LAST_VERSION - 1);
    store.add([wordOf(1, 2, 0)]);
    await store.save({ size: 5 });
    store.add([wordOf(1, 3, 0)]);
    expect(() => store.add([wordOf(1, 4, 0)])).toThrow(expect.objectContaining({ code: 'full' }));
    expect(store.damage).toMatchObject({ code: 'full' });
    await expect(store.save({ size: 6 })).rejects.toMatchObject({ code: 'full' });
    await store.beginAnew();
    expect([store.damage, store.position]).toEqual([undefined, { size: 5 }]);
    expect(standingIn(store)).toEqual(standingOf([wordOf(1, 2, 0)]));
    const words = [wordOf(1, 2, 0), wordOf(1, 3, 0), wordOf(1, 4, 0)];
    store.add(words);
    expect(standingIn(store)).toEqual(standingOf(words));
    expect(store.view().version).toBeLessThan(10);
    await store.close();
  });
});

describe('a store in which a change failed half way', () => {
  const failing = (store: ContactStore) =>
    expect(store.wholly(() => Promise.reject(new RangeError('no memory')))).rejects.toThrow('no memory');

  it('goes on from what was saved, and begins with nothing when that does not help', async () => {
    const store = await openIn(await temporaryFolder());
    const words = [wordOf(1, 2, 0), wordOf(2, 1, 0)];
    store.add(words);
    await store.save({ size: 5 });
    for (const size of [5, 0]) {
      await failing(store);
      await store.beginAnew();
      expect([store.damage, store.position.size]).toEqual([undefined, size]);
      expect(standingIn(store)).toEqual(size === 5 ? standingOf(words) : []);
    }
    store.add(words);
    await store.save({ size: 7 });
    await failing(store);
    await store.beginAnew();
    expect(store.position.size).toBe(7);
    await store.close();
  });

  it('says of a view from before that it is to be asked for once more', async () => {
    const store = await openIn(await temporaryFolder());
    for (let k = 0; k < 9; k++) store.add([wordOf(1, 2 + k, k)]);
    await store.settled();
    const view = store.view();
    const [segment] = view.segments;
    await failing(store);
    await store.beginAnew();
    const busy = expect.objectContaining({ code: 'busy' }) as Error;
    expect(() => store.contactAt(view, { table: segment?.id ?? -1, isLive: false, at: 0 })).toThrow(busy);
    expect(() => segment && store.bucketsOf(segment, 0)).toThrow(busy);
    expect(() => store.evidenceIn(view)).toThrow(busy);
    await store.close();
  });

  it('says so from the moment it begins, and takes what a closed file gives for no damage', async () => {
    const store = await openIn(await temporaryFolder());
    for (let k = 0; k < 9; k++) store.add([wordOf(1, 2 + k, k)]);
    await store.settled();
    await store.save({ size: 9 });
    const view = store.view();
    const place = { table: view.segments[0]?.id ?? -1, isLive: false, at: 0 };
    const closed = new FirebreakError('damaged', 'read from a file that was closed');
    const busy = expect.objectContaining({ code: 'busy' }) as Error;
    await failing(store);
    const reading = store.guarding(async () => {
      await isBegun;
      throw closed;
    });
    const told = expect(reading).rejects.toThrow(busy);
    let isOver = false;
    const begun = store.beginAnew().finally(() => (isOver = true));
    const isBegun = breathe();
    while (!isOver) {
      expect(() => store.contactAt(view, place)).toThrow(busy);
      await breathe();
    }
    await begun;
    await told;
    expect(store.damage).toBeUndefined();
    await store.close();
  });
});
