/** Day keys that are read to be destroyed: a disk that fails costs nobody the trace of them. */
import type * as fs from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { dayKeyPrints } from '../../authority/days/day-key-file.js';
import { newDayKeys } from '../../authority/days/day-keys.js';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { noteDestroyedDay } from '../../cli/days/destroyed-days.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';

const disk = vi.hoisted(() => ({ fails: '' }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const readFile = async (...args: Parameters<typeof real.readFile>) => {
    const [file] = args;
    if (disk.fails !== '' && typeof file === 'string' && file.endsWith(disk.fails))
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    return real.readFile(...args);
  };
  return { ...real, readFile };
});

const DAY = 20_700;
const unstopped = new AbortController().signal;

const keysOf = (day: number): DayKeys => {
  let count = 0;
  return newDayKeys(day, (length) => sha256(Buffer.from(`${day}/${(count += 1)}`)).subarray(0, length));
};

let root: string;
let store: DayKeyStore;
const inKeys = (name: string) => join(root, 'day-keys', name);
const marks = () => readFile(inKeys('destroyed'), 'latin1').catch(() => '');

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firebreak-reads-'));
  onTestFinished(() => rm(root, { recursive: true }));
  onTestFinished(() => void (disk.fails = ''));
  store = dayKeyFiles(join(root, 'day-keys'), root);
  await store.put(keysOf(DAY));
  await store.put(keysOf(DAY + 1));
});

it('a day whose key file cannot be read now is destroyed when it can, and no other waits for it', async () => {
  disk.fails = `${DAY}.key`;
  const destroying = store.destroy([DAY, DAY + 1]);
  await expect(destroying).rejects.toThrow(`${inKeys(`${DAY}.key`)} cannot be read`);
  expect(await store.list()).toEqual([DAY]);
  expect(await marks()).toMatch(/^20701( [0-9a-f]{64}){3}\n$/);
  expect((await readdir(join(root, 'day-keys'))).sort()).toEqual([`${DAY}.key`, 'destroyed']);
  disk.fails = '';
  await writeFile(join(root, 'note'), Buffer.from(keysOf(DAY).macKey).toString('hex'));
  expect(await store.destroy([DAY])).toEqual({ found: [DAY], failure: undefined });
  expect(await marks()).toMatch(/^20700( [0-9a-f]{64}){3}\n20701 /);
  expect(await store.list()).toEqual([]);
});

it('what a crash left of a destroyed day waits until it can be read, and keeps no other day', async () => {
  for (const day of [DAY, DAY + 1])
    await noteDestroyedDay(inKeys('destroyed'), day, dayKeyPrints(keysOf(day)));
  disk.fails = `${DAY}.key`;
  const swept = await store.removeStray(unstopped);
  expect(swept.found).toEqual([DAY + 1]);
  expect(swept.failure?.message).toContain(`${DAY}.key cannot be read`);
  expect((await readdir(join(root, 'day-keys'))).sort()).toEqual([`${DAY}.key`, 'destroyed']);
  disk.fails = '';
  expect(await store.removeStray(unstopped)).toEqual({ found: [DAY], failure: undefined });
});

it('a key file that is damaged goes all the same', async () => {
  await writeFile(inKeys(`${DAY}.key`), 'x');
  await store.destroy([DAY]);
  expect(await marks()).toBe('20700\n');
  expect(await store.list()).toEqual([DAY + 1]);
});
