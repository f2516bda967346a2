/** A file whose folder cannot be synced is in place: nobody is told that it was not written. */
import type * as fs from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { writeAtomically, writeNew } from '../../cli/files/atomic-file.js';
import { folderAt } from '../../cli/folder/folder.js';
import { takeOrders } from '../../cli/orders/order-desk.js';
import { giveOrder } from '../../cli/orders/orders.js';
import { until } from './firebreak-process.js';

const disk = vi.hoisted(() => ({ syncsFolders: true }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const open: typeof real.open = async (path, flags, mode) => {
    if (flags === 'r' && !disk.syncsFolders) throw Object.assign(new Error('EIO'), { code: 'EIO' });
    return real.open(path, flags, mode);
  };
  return { ...real, open };
});

let dir: string;

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-atomic-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  disk.syncsFolders = false;
  onTestFinished(() => void (disk.syncsFolders = true));
});

it.each([
  ['replaced', writeAtomically],
  ['new', writeNew],
])('says of a %s file that it is written, but may be lost', async (_name, write) => {
  const file = join(dir, 'file');
  const writing = write(file, 'text');
  await expect(writing).rejects.toMatchObject({ code: 'unconfirmed' });
  await expect(writing).rejects.toThrow(`${file} is written, but may be lost in a power cut`);
  expect(await readFile(file, 'utf8')).toBe('text');
  expect(await readdir(dir)).toEqual(['file']);
});

it('waits for an order that is in place', async () => {
  const folder = folderAt(dir);
  const given = giveOrder(folder, { what: 'status' }, new AbortController().signal).catch(String);
  await until('the order', async () =>
    (await readdir(folder.authority.orders).catch(() => [])).find((name) => name.endsWith('.json')),
  );
  disk.syncsFolders = true;
  await takeOrders(folder, async () => 'done');
  expect(await given).toBe('done');
});
