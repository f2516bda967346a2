import { execFile } from 'node:child_process';
import { mkdtemp, readdir, rm, truncate } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, describe, expect, it } from 'vitest';
import { openLevelRecords } from '../../authority/records/records-level.js';
import { memoryRecords } from '../../authority/records/records-memory.js';
import type { RecordStore } from '../../authority/records/records.js';
import { program } from '../program.js';
import { secretOf } from './fixture.js';

const FULL_DISK = new URL('./full-disk-process.ts', import.meta.url);
const folders: string[] = [];
const OWNER = secretOf('owner').slice(0, 4);

async function newFolder(): Promise<string> {
  const folder = await mkdtemp(join(tmpdir(), 'firebreak-records-'));
  folders.push(folder);
  return folder;
}

afterAll(async () => {
  for (const folder of folders) await rm(folder, { recursive: true });
});

const implementations: readonly (readonly [string, () => Promise<RecordStore>])[] = [
  ['in memory', async () => memoryRecords()],
  ['in level', async () => openLevelRecords(await newFolder(), OWNER)],
];

async function listed(records: RecordStore, prefix: string): Promise<string[]> {
  const keys: string[] = [];
  for await (const [key, value] of records.list(prefix))
    keys.push(`${key}=${Buffer.from(value).toString('hex')}`);
  return keys;
}

describe.each(implementations)('records %s', (_name, open) => {
  it('give back what was written, and nothing for a key never written', async () => {
    const records = await open();
    await records.write([['a/1', Uint8Array.of(1)]]);
    expect([...((await records.get('a/1')) ?? [])]).toEqual([1]);
    expect(await records.get('a/2')).toBeUndefined();
    await records.close();
  });

  it('list, count and end a prefix in the order of keys, and no neighbour of it', async () => {
    const records = await open();
    await records.write([
      ['b/2', Uint8Array.of(2)],
      ['b0', Uint8Array.of(9)],
      ['b/10', Uint8Array.of(3)],
      ['a/9', Uint8Array.of(9)],
      ['b/', new Uint8Array(0)],
    ]);
    expect(await listed(records, 'b/')).toEqual(['b/=', 'b/10=03', 'b/2=02']);
    expect(await records.count('b/')).toBe(3);
    expect(await records.lastKey('b/')).toBe('b/2');
    expect(await records.lastKey('c/')).toBeUndefined();
    await records.close();
  });

  it('are all listed, however many they are, while others are written', async () => {
    const records = await open();
    const keys = Array.from({ length: 600 }, (_, k) => `a/${String(k).padStart(4, '0')}`);
    await records.write(keys.map((key) => [key, Uint8Array.of(1)]));
    const found: string[] = [];
    for await (const [key] of records.list('a/')) {
      found.push(key);
      if (found.length % 100 === 0) await records.write([[key, undefined]]);
    }
    expect(found).toEqual(keys);
    expect(await records.count('a/')).toBe(594);
    await records.close();
  });

  it('replace and remove in one write', async () => {
    const records = await open();
    await records.write([
      ['a', Uint8Array.of(1)],
      ['b', Uint8Array.of(2)],
    ]);
    await records.write([
      ['a', undefined],
      ['b', Uint8Array.of(3)],
      ['never', undefined],
    ]);
    expect(await listed(records, '')).toContain('b=03');
    expect(await records.get('a')).toBeUndefined();
    await records.close();
  });

  it('do not change when the bytes handed in or out do', async () => {
    const records = await open();
    const given = Uint8Array.of(1);
    await records.write([['a', given]]);
    given[0] = 7;
    (await records.get('a'))?.fill(8);
    expect([...((await records.get('a')) ?? [])]).toEqual([1]);
    await records.close();
  });
});

describe('records in level', () => {
  it('are there after closing and opening', async () => {
    const folder = await newFolder();
    const before = await openLevelRecords(folder, OWNER);
    await before.write([['a', Uint8Array.of(1)]]);
    await before.close();
    const after = await openLevelRecords(folder, OWNER);
    expect([...((await after.get('a')) ?? [])]).toEqual([1]);
    await after.close();
  });

  it('keep what is written after a write that the disk took only in part', async () => {
    const { stdout } = await promisify(execFile)(process.execPath, [program(FULL_DISK), await newFolder()]);
    expect(stdout.trim()).toBe('1 5 105 105');
  });

  it('refuse a folder of another issuer, and leave it usable for its own', async () => {
    const folder = await newFolder();
    await (await openLevelRecords(folder, OWNER)).close();
    await expect(openLevelRecords(folder, secretOf('other').slice(0, 4))).rejects.toMatchObject({
      code: 'foreign',
    });
    await (await openLevelRecords(folder, OWNER)).close();
  });

  it('that are damaged say how the authority is put back, and that its day keys are not', async () => {
    const folder = await newFolder();
    await (await openLevelRecords(folder, OWNER)).close();
    for (const name of await readdir(folder))
      if (name.startsWith('MANIFEST')) await truncate(join(folder, name));
    await expect(openLevelRecords(folder, OWNER)).rejects.toMatchObject({
      code: 'damaged',
      message: expect.stringContaining('all but day-keys, as docs/backup.md says') as string,
    });
  });

  it('refuse a folder that is open already', async () => {
    const folder = await newFolder();
    const records = await openLevelRecords(folder, OWNER);
    await expect(openLevelRecords(folder, OWNER)).rejects.toMatchObject({ code: 'locked' });
    await records.close();
  });
});
