/** What a save writes: what is new, and nothing that stays behind when it fails. */
import { readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../../protocol/log.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import type { StoreDisk } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { temporaryFolder } from './stage.js';
import { wordOf } from './story.js';

const opened = (dir: string, disk: StoreDisk = NODE_STORE_DISK) =>
  openContactStore(dir, { disk, log: silentLog, startThread: inlineTasks(disk), tableRows: 1000 });

/** Files and bytes of the parts, by name, as the manifest has them. */
async function partsIn(dir: string): Promise<Record<string, { file: number; bytes: number }>> {
  const text = await readFile(join(dir, 'manifest.json'), 'utf8');
  const { parts } = JSON.parse(text) as { parts: { name: string; file: number; bytes: number }[] };
  return Object.fromEntries(parts.map(({ name, file, bytes }) => [name, { file, bytes }]));
}

test('a save after a start adds to what the life before it kept', async () => {
  const dir = await temporaryFolder();
  const first = await opened(dir);
  for (let k = 0; k < 300; k++) first.add([wordOf(1, 2 + (k % 50), 8 * k)]);
  await first.save({ size: 1 });
  await first.close();
  const before = (await partsIn(dir))['live/1'];
  const second = await opened(dir);
  second.add([wordOf(60, 61, 1)]);
  await second.save({ size: 2 });
  const after = (await partsIn(dir))['live/1'];
  expect(after?.file).toBe(before?.file);
  expect((after?.bytes ?? 0) - (before?.bytes ?? 0)).toBeLessThan(200);
  await second.close();
  const third = await opened(dir);
  expect(third.status().contacts).toBe(second.status().contacts);
  await third.close();
});

test('a save that fails leaves no file behind, and the next one holds all', async () => {
  const dir = await temporaryFolder();
  let fails = false;
  const syncFolder = async (path: string): Promise<void> => {
    if (fails) throw Object.assign(new Error('no space'), { code: 'ENOSPC' });
    await NODE_STORE_DISK.syncFolder(path);
  };
  const store = await opened(dir, { ...NODE_STORE_DISK, syncFolder });
  store.add([wordOf(1, 2, 1)]);
  await store.save({ size: 1 });
  const files = (await readdir(dir)).filter((name) => name !== 'manifest.json.new');
  store.add([wordOf(3, 4, 1)]);
  fails = true;
  const put = [{ kind: 'put', name: 'mine', bytes: Buffer.from('new') }] as const;
  for (let k = 0; k < 3; k++)
    await expect(store.save({ size: 2 }, new Map(), put)).rejects.toThrow('no space');
  expect((await readdir(dir)).filter((name) => name !== 'manifest.json.new')).toEqual(files);
  fails = false;
  await store.save({ size: 2 }, new Map(), put);
  await store.close();
  const again = await opened(dir);
  expect([again.status().contacts, [...again.takeParts().keys()]]).toEqual([2, ['mine']]);
  expect(again.takeParts().size).toBe(0);
  await again.close();
});
