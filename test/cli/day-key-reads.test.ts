/** Day keys that are read to be destroyed: a disk that fails costs nobody the trace of them, and no copy stays in memory. */
import type * as fs from 'node:fs/promises';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished, vi } from 'vitest';
import { dayKeyPrints, encodeDayKeyFile } from '../../authority/days/day-key-file.js';
import { newDayKeys } from '../../authority/days/day-keys.js';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { noteDestroyedDay } from '../../cli/days/destroyed-days.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';

const disk = vi.hoisted(() => ({ fails: '', buffers: new Array<Uint8Array>() }));
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const readFile = async (...args: Parameters<typeof real.readFile>) => {
    const file = typeof args[0] === 'string' ? args[0] : '';
    if (disk.fails !== '' && file.endsWith(disk.fails))
      throw Object.assign(new Error('EIO: i/o error, read'), { code: 'EIO' });
    const content = await real.readFile(...args);
    if (typeof content !== 'string' && file.endsWith('.key')) disk.buffers.push(content);
    return content;
  };
  const open: typeof real.open = async (file, flags, mode) => {
    const handle = await real.open(file, flags, mode);
    const writeFile = handle.writeFile.bind(handle);
    handle.writeFile = (content, options) => {
      if (content instanceof Uint8Array) disk.buffers.push(content);
      return writeFile(content, options);
    };
    return handle;
  };
  return { ...real, readFile, open };
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
  onTestFinished(() => void Object.assign(disk, { fails: '', buffers: [] }));
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

it('no buffer that a key file was written from or read into keeps the keys', async () => {
  await store.get(DAY);
  const spoilt = [
    encodeDayKeyFile(keysOf(DAY)),
    Buffer.concat([encodeDayKeyFile(keysOf(DAY)), Buffer.of(1)]),
  ];
  for (const [i, bytes] of spoilt.entries()) {
    const day = DAY + 2 + i;
    await writeFile(inKeys(`${day}.key`), bytes, { mode: 0o600 });
    await expect(store.get(day)).rejects.toMatchObject({ code: 'damaged' });
  }
  await store.destroy([DAY, DAY + 1, DAY + 2, DAY + 3]);
  expect(disk.buffers.length).toBe(2 + 3 + 2 * 4); // put, got, and read twice to be destroyed
  for (const bytes of disk.buffers) expect(Buffer.from(bytes)).toEqual(Buffer.alloc(bytes.length));
});
