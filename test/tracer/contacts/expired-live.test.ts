/** Contacts past retention that were never sealed: no file of the folder says a word of them once the store was saved. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS, EPOCH_SECONDS } from '../../../protocol/time.js';
import type { ContactStore } from '../../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import type { StoreDisk } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { standingIn } from './all-contacts.js';
import { temporaryFolder } from './stage.js';

const FIRST_DAY = 20_000;
/** Of the contact that is to go. */
const START = FIRST_DAY * DAY_SECONDS + 40_177;
const BORDER = (FIRST_DAY + 1) * DAY_SECONDS;
/** More than go on in another table. */
const MANY = 2 ** 14 + 1;

interface Setting {
  readonly disk?: StoreDisk;
  readonly tableRows?: number;
}

const opened = (dir: string, { disk = NODE_STORE_DISK, tableRows = 1000 }: Setting = {}) =>
  openContactStore(dir, { disk, log: silentLog, startThread: inlineTasks(disk), tableRows });

const word = (reporter: number, peer: number, start: number, seconds = 600) => ({
  ...{
    reporter: asTagNumber(reporter),
    peer: asTagNumber(peer),
    epoch: asEpoch(Math.floor(start / EPOCH_SECONDS)),
  },
  ...{ start, end: start + seconds, bucketSeconds: [300, 20, 10, 5] as const, medianAttenuationDb: 50 },
  ...{ partial: false, ledgerIndex: 7 },
});

/** Contacts of one day, each of its own two. */
const crowd = (day: number, count = 1) =>
  Array.from({ length: count }, (_, k) =>
    word(1000 + 2 * k, 1001 + 2 * k, day * DAY_SECONDS + 50_000 + (k % 9)),
  );

/** Files that hold this number, as four bytes. */
async function filesWith(dir: string, number: number): Promise<string[]> {
  const bytes = Buffer.from(Uint32Array.of(number).buffer);
  const files = await Promise.all(
    (await readdir(dir)).map(async (name) => ({
      name,
      holds: (await readFile(join(dir, name))).includes(bytes),
    })),
  );
  return files.filter(({ holds }) => holds).map(({ name }) => name);
}

let size = 0;
const save = (store: ContactStore) => store.save({ size: ++size });

test.each([0, 1, MANY])(
  'a contact that expired is in no file after the next save; beside it: %i',
  async (others) => {
    const dir = await temporaryFolder();
    const store = await opened(dir, { tableRows: 2 ** 15 });
    store.add([word(1, 2, START), word(2, 1, START), ...crowd(FIRST_DAY + 2, others)]);
    await save(store);
    expect(await filesWith(dir, START)).toHaveLength(1);
    expect(store.wantsSave).toBe(false);
    store.expireBefore(BORDER);
    expect(store.wantsSave).toBe(true);
    await save(store);
    expect(await filesWith(dir, START)).toEqual([]);
    expect(store.wantsSave).toBe(false);
    const standing = standingIn(store);
    expect(standing).toHaveLength(others);
    await store.close();
    const again = await opened(dir, { tableRows: 2 ** 15 });
    expect(standingIn(again)).toEqual(standing);
    expect(again.wantsSave).toBe(false);
    await again.close();
  },
);

test.each([0, MANY])('it goes when the store was closed in between; beside it: %i', async (others) => {
  const dir = await temporaryFolder();
  const setting = { tableRows: 2 ** 15 };
  const first = await opened(dir, setting);
  first.add([word(1, 2, START), ...crowd(FIRST_DAY + 2, others)]);
  await save(first);
  first.expireBefore(BORDER);
  await first.close();
  const second = await opened(dir, setting);
  expect([second.status().contacts, second.wantsSave]).toEqual([1 + others, false]);
  second.expireBefore(BORDER);
  expect(second.wantsSave).toBe(true);
  await save(second);
  expect(await filesWith(dir, START)).toEqual([]);
  expect(second.status().contacts).toBe(others);
  await second.close();
});

test.each([0, MANY])(
  'it stands as long as the manifest does that names it; beside it: %i',
  async (others) => {
    const dir = await temporaryFolder();
    let fails = false;
    const syncFolder = async (path: string): Promise<void> => {
      if (fails) throw Object.assign(new Error('no power'), { code: 'EIO' });
      await NODE_STORE_DISK.syncFolder(path);
    };
    const setting = { tableRows: 2 ** 15, disk: { ...NODE_STORE_DISK, syncFolder } };
    const store = await opened(dir, setting);
    store.add([word(1, 2, START), ...crowd(FIRST_DAY + 2, others)]);
    await save(store);
    const standing = standingIn(store);
    store.expireBefore(BORDER);
    fails = true;
    await expect(save(store)).rejects.toThrow('no power');
    expect(store.wantsSave).toBe(true);
    await store.close();
    fails = false;
    const again = await opened(dir, setting);
    expect(standingIn(again)).toEqual(standing);
    again.expireBefore(BORDER);
    await save(again);
    expect(await filesWith(dir, START)).toEqual([]);
    expect(again.status().contacts).toBe(others);
    await again.close();
  },
);

test.each([false, true])(
  'what a word replaced goes with the contact, in whichever table it lies; opened anew in between: %s',
  async (isOpenedAnew) => {
    const dir = await temporaryFolder();
    const setting = { tableRows: 4 };
    let store = await opened(dir, setting);
    store.add([word(1, 2, START), ...crowd(FIRST_DAY + 2, 3)]);
    await save(store);
    store.add([word(2, 1, START + 13)]); // the first table is full
    await save(store);
    expect(await filesWith(dir, START)).toHaveLength(2);
    if (isOpenedAnew) {
      await store.close();
      store = await opened(dir, setting);
    }
    store.expireBefore(BORDER);
    expect(store.wantsSave).toBe(true);
    await save(store);
    expect(await filesWith(dir, START)).toEqual([]);
    expect(store.status().contacts).toBe(3);
    await store.close();
  },
);

test('tables are written anew once a border, and not for what dies or comes after it', async () => {
  const dir = await temporaryFolder();
  const store = await opened(dir, { tableRows: 2 ** 15 });
  const early = word(3, 4, BORDER + 30, 60); // of an epoch in which one may begin before the border
  store.add([word(1, 2, START), early, ...crowd(FIRST_DAY + 2, MANY)]);
  await save(store);
  store.expireBefore(BORDER);
  await save(store);
  const parts = async () => (await readdir(dir)).filter((name) => name.startsWith('part-'));
  const before = await parts();
  store.add([word(4, 3, BORDER + 40, 60), ...crowd(FIRST_DAY + 3, 2)]);
  expect(store.wantsSave).toBe(false);
  await save(store);
  expect(await parts()).toEqual(before);
  store.expireBefore((FIRST_DAY + 2) * DAY_SECONDS);
  await save(store);
  expect(await parts()).not.toEqual(before);
  for (const start of [BORDER + 30, BORDER + 40]) expect(await filesWith(dir, start)).toEqual([]);
  await store.close();
});

test('what comes, dies and expires while a save is prepared is in that save or in the next', async () => {
  const dir = await temporaryFolder();
  const setting = { tableRows: 2 ** 15 };
  const store = await opened(dir, setting);
  const others = crowd(FIRST_DAY + 2, MANY + 1);
  store.add([word(1, 2, START), word(5, 6, START + DAY_SECONDS), ...others]);
  await save(store);
  store.expireBefore(BORDER);
  const saving = save(store);
  const late = [word(1001, 1000, others[0]!.start), word(7, 8, others[0]!.start)];
  store.add(late);
  store.expireBefore(BORDER + DAY_SECONDS);
  await saving;
  expect(store.wantsSave).toBe(true);
  await store.close();
  const again = await opened(dir, setting);
  again.add(late);
  again.expireBefore(BORDER + DAY_SECONDS);
  expect(standingIn(again)).toEqual(standingIn(store));
  await save(again);
  expect(again.wantsSave).toBe(false);
  for (const start of [START, START + DAY_SECONDS]) expect(await filesWith(dir, start)).toEqual([]);
  await again.close();
});

test('the memory of contacts that expired goes with the last view of them', async () => {
  const store = await opened(await temporaryFolder());
  store.add([word(1, 2, START), ...crowd(FIRST_DAY, 300), ...crowd(FIRST_DAY + 2)]);
  const before = store.view();
  const standing = standingIn(store);
  store.expireBefore(BORDER);
  const after = store.view();
  expect(after.live.some((table) => before.live.includes(table))).toBe(false);
  expect(after.live.some(({ start }) => start.includes(START))).toBe(false);
  expect(standingIn(store, before)).toEqual(standing);
  expect(standingIn(store)).toEqual(standing.filter(({ end }) => end >= BORDER));
  await store.close();
});

test('it goes too where many stand beside it, and too few of any day to be sealed for themselves', async () => {
  const store = await opened(await temporaryFolder(), { tableRows: 2 ** 15 });
  const days = Array.from({ length: 6 }, (_, k) => FIRST_DAY + 2 + k);
  store.add([word(1, 2, START), ...days.flatMap((day) => crowd(day, 3_000))]);
  store.add(crowd(FIRST_DAY + 9));
  await store.settled();
  const before = standingIn(store);
  expect(store.view().segments).toEqual([]);
  store.expireBefore(BORDER);
  await store.settled();
  expect(store.view().live.some(({ start }) => start.includes(START))).toBe(false);
  expect(standingIn(store)).toEqual(before.filter(({ end }) => end >= BORDER));
  await store.close();
});
