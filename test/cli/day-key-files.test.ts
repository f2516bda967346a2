/** Day keys on disk: destroyed is destroyed, whatever copy comes back, under whatever name. */
import { execFile } from 'node:child_process';
import { chmod, copyFile, mkdir, mkdtemp, readdir, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { newDayKeys } from '../../authority/days/day-keys.js';
import { encodeDayKeyFile } from '../../authority/days/day-key-file.js';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { holdLock } from '../../host/folder-lock.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';
import { leaveRoot } from '../leave-root.js';
import { program } from '../program.js';
import { filesUnder } from './small-demo.js';

const OLD = 20_700;
const keysOf = (day: number): DayKeys => {
  let count = 0;
  return newDayKeys(day, (length) => sha256(Buffer.from(`${day}/${(count += 1)}`)).subarray(0, length));
};

let root: string;
let dir: string;
let store: DayKeyStore;
const place = (...parts: string[]) => join(root, ...parts);
const keyFile = (day: number) => join(dir, `${day}.key`);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  dir = place('authority', 'day-keys');
  store = dayKeyFiles(dir, root);
  await store.put(keysOf(OLD));
  await store.put(keysOf(OLD + 1));
});

/** Files that hold any secret of the day, as bytes. */
async function holders(day: number): Promise<string[]> {
  const { idKey, macKey, sealingSecretKey } = keysOf(day);
  const files = await filesUnder(root);
  const held = await Promise.all(
    files.map(async (file) => {
      const bytes = await readFile(file);
      return [idKey, macKey, sealingSecretKey].some((secret) => bytes.includes(Buffer.from(secret)));
    }),
  );
  return files.filter((_, i) => held[i]).map((file) => file.slice(root.length + 1));
}

const unstopped = new AbortController().signal;

/** The days of the copies that a search finds, of which each could be removed. */
async function copiesFound(keys: DayKeyStore): Promise<readonly number[]> {
  const { found, failure } = await keys.removeStray(unstopped);
  expect(failure).toBeUndefined();
  return found;
}

describe('keys of a day that is destroyed', () => {
  it('are gone from the disk, and those of other days are not', async () => {
    expect(await holders(OLD)).toHaveLength(1);
    await store.destroy([OLD]);
    await store.destroy([OLD]);
    expect(await holders(OLD)).toEqual([]);
    expect(await store.list()).toEqual([OLD + 1]);
    expect((await store.get(OLD + 1))?.idKey).toEqual(keysOf(OLD + 1).idKey);
    expect(await copiesFound(store)).toEqual([]);
  });

  it('are refused when they are copied back, by every reader, and removed', async () => {
    const bytes = await readFile(keyFile(OLD));
    await store.destroy([OLD]);
    await writeFile(keyFile(OLD), bytes);
    for (const reader of [store, dayKeyFiles(dir)]) {
      expect(await reader.get(OLD)).toBeUndefined();
      expect(await reader.list()).toEqual([OLD + 1]);
    }
    await expect(store.put(keysOf(OLD))).rejects.toMatchObject({ code: 'day' });
    expect(await copiesFound(store)).toEqual([OLD]);
    expect(await holders(OLD)).toEqual([]);
    expect(await filesUnder(root)).toHaveLength(2); // the other day's, and the list of destroyed days
  });

  it.each([
    ['under another name beside it', 'authority/day-keys/20700.key.bak', (file: Buffer) => file],
    [
      'as a leftover cut short',
      'authority/day-keys/20700.key.123.tmp',
      (file: Buffer) => file.subarray(0, 50),
    ],
    ['overwritten, not yet removed', 'authority/day-keys/20700.key', () => Buffer.alloc(137)],
    ['in a folder of its own', 'backup/monday/keys', (file: Buffer) => file],
  ])('are removed where they lie: %s', async (_, path, made) => {
    const bytes = await readFile(keyFile(OLD));
    await store.destroy([OLD]);
    await mkdir(join(place(path), '..'), { recursive: true });
    await writeFile(place(path), made(bytes));
    expect(await copiesFound(store)).toEqual([OLD]);
    expect((await filesUnder(root)).map((file) => file.slice(dir.length + 1)).sort()).toEqual([
      '20701.key',
      'destroyed',
    ]);
  });

  it('are overwritten inside another file, of which the rest stays', async () => {
    const [old, other] = [await readFile(keyFile(OLD)), await readFile(keyFile(OLD + 1))];
    const archive = Buffer.concat([Buffer.from('before'), old, Buffer.from('between'), old, other]);
    await store.destroy([OLD]);
    await writeFile(place('keys.tar'), archive);
    expect(await copiesFound(store)).toEqual([OLD]);
    const zeros = Buffer.alloc(old.length);
    expect(await readFile(place('keys.tar'))).toEqual(
      Buffer.concat([Buffer.from('before'), zeros, Buffer.from('between'), zeros, other]),
    );
    expect(await holders(OLD)).toEqual([]);
    expect(await holders(OLD + 1)).toHaveLength(2);
  });

  it('are told by what is secret in them: a header that anybody can write does not cost a file its bytes', async () => {
    const key = await readFile(keyFile(OLD));
    await store.destroy([OLD]);
    const header = key.subarray(0, 9);
    const forged = Buffer.concat([header, Buffer.alloc(96, 7)]);
    const chosen = [
      ['ledger/store/payloads/20700-0', Buffer.concat([Buffer.from('sealed'), header, Buffer.alloc(200, 1)])],
      ['ledger/store/payloads/20700-1', Buffer.concat([header, Buffer.alloc(200, 2)])],
      ['gateways/one/spool/000003.log', header],
      ['tags/7/flash', Buffer.concat([forged, Buffer.from(sha256(forged))])],
    ] as const;
    for (const [path, bytes] of chosen) {
      await mkdir(join(place(path), '..'), { recursive: true });
      await writeFile(place(path), bytes);
    }
    expect(await copiesFound(store)).toEqual([]);
    for (const [path, bytes] of chosen) expect(await readFile(place(path))).toEqual(bytes);
  });

  it.each([
    ['its first secret only', 50, 41],
    ['two of the three', 100, 73],
    ['all three, not the checksum', 120, 105],
  ])('are removed from a file that holds %s, and what follows there stays', async (_, cut, wiped) => {
    const key = await readFile(keyFile(OLD));
    await store.destroy([OLD]);
    const others = Buffer.alloc(300, 9);
    await writeFile(place('image'), Buffer.concat([key.subarray(0, cut), others]));
    await writeFile(place('cut'), key.subarray(0, cut));
    expect(await copiesFound(store)).toEqual([OLD]);
    const rest = Buffer.concat([key.subarray(wiped, cut), others]);
    expect(await readFile(place('image'))).toEqual(Buffer.concat([Buffer.alloc(wiped), rest]));
    expect((await filesUnder(root)).map((file) => file.slice(root.length + 1))).not.toContain('cut');
    expect(await holders(OLD)).toEqual([]);
  });

  it('are found again after a restart, and nothing in the list of destroyed days tells them', async () => {
    const bytes = await readFile(keyFile(OLD));
    await store.destroy([OLD]);
    await mkdir(place('ledger'));
    for (const path of ['aside', 'ledger/aside']) await writeFile(place(path), bytes);
    const { idKey, macKey, sealingSecretKey } = keysOf(OLD);
    const marks = await readFile(join(dir, 'destroyed'), 'latin1');
    for (const secret of [idKey, macKey, sealingSecretKey])
      expect(marks).not.toContain(Buffer.from(secret).toString('hex'));
    expect(await copiesFound(dayKeyFiles(dir, root))).toEqual([OLD]);
    expect(await holders(OLD)).toEqual([]);
  });

  it('stay known as destroyed over a restart and beside a line that is no day', async () => {
    await store.destroy([OLD]);
    await store.destroy([3]);
    const marks = join(dir, 'destroyed');
    expect(await readFile(marks, 'latin1')).toMatch(/^3\n20700( [0-9a-f]{64}){3}\n$/);
    await writeFile(marks, 'no day\n20700\n');
    await expect(dayKeyFiles(dir).put(keysOf(OLD))).rejects.toMatchObject({ code: 'day' });
  });

  it('are not looked for through links that lead out of the folder', async () => {
    const outside = await mkdtemp(join(tmpdir(), 'firebreak-outside-'));
    onTestFinished(() => rm(outside, { recursive: true, force: true }));
    await writeFile(join(outside, 'copy'), encodeDayKeyFile(keysOf(OLD)));
    await symlink(outside, place('linked'));
    await symlink(join(outside, 'copy'), place('linked-file'));
    await store.destroy([OLD]);
    expect(await copiesFound(store)).toEqual([]);
    expect(await readdir(outside)).toEqual(['copy']);
  });
});

test('keys that their owner made read-only are destroyed all the same, and so are copies of them', async () => {
  leaveRoot();
  const own = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
  onTestFinished(() => rm(own, { recursive: true, force: true }));
  const files = dayKeyFiles(join(own, 'day-keys'), own);
  await files.put(keysOf(OLD));
  const [file, copy] = [join(own, 'day-keys', `${OLD}.key`), join(own, 'copy')];
  await writeFile(copy, Buffer.concat([Buffer.from('before'), await readFile(file)]));
  for (const one of [file, copy]) await chmod(one, 0o400);
  expect(await files.destroy([OLD])).toEqual({ found: [OLD], failure: undefined });
  expect(await readdir(join(own, 'day-keys'))).toEqual(['destroyed']);
  expect((await readFile(copy, 'latin1')).replaceAll('\0', '')).toBe('before');
});

test('a copy that cannot be removed keeps no other from being removed, and is said', async () => {
  leaveRoot();
  const own = await mkdtemp(join(tmpdir(), 'firebreak-keys-'));
  const [locked, deeper] = [join(own, 'locked'), join(own, 'deep', 'er')]; // met in this order
  onTestFinished(() => chmod(locked, 0o700).then(() => rm(own, { recursive: true })));
  const files = dayKeyFiles(join(own, 'day-keys'), own);
  await files.put(keysOf(OLD));
  await mkdir(locked);
  await mkdir(deeper, { recursive: true });
  for (const to of [locked, deeper]) await copyFile(join(own, 'day-keys', `${OLD}.key`), join(to, 'copy'));
  await chmod(locked, 0o500);
  expect(await files.destroy([OLD])).toMatchObject({ found: [OLD], failure: { code: 'EACCES' } });
  expect(await readdir(join(own, 'day-keys'))).toEqual(['destroyed']);
  expect(await readdir(deeper)).toEqual([]);
});

test.each(['', '4711'])(
  'whoever looks for copies keeps the locks that it holds, in files with "%s"',
  async (held) => {
    const lock = place('authority', 'registry');
    await mkdir(lock, { recursive: true });
    await writeFile(join(lock, 'LOCK'), held);
    const release = await holdLock(lock, 'in use');
    onTestFinished(release);
    await store.destroy([OLD]);
    await copiesFound(store);
    expect(await codeOfAnotherThatLocks(lock)).toBe('locked');
  },
);

/** Of the error that another process gets there: within one, a second lock is refused whatever the kernel says. */
async function codeOfAnotherThatLocks(dir: string): Promise<string> {
  const module = pathToFileURL(program(new URL('../../host/folder-lock.ts', import.meta.url))).href;
  const script = `import { holdLock } from '${module}';
    await holdLock(${JSON.stringify(dir)}, 'in use').then(() => console.log('it is had'), ({ code }) => console.log(code));`;
  const { stdout } = await promisify(execFile)(process.execPath, ['--input-type=module', '-e', script]);
  return stdout.trim();
}

test('a folder of day keys that cannot be listed is not taken for one without keys', async () => {
  expect(await dayKeyFiles(place('nowhere')).list()).toEqual([]);
  await writeFile(place('file'), '');
  await expect(dayKeyFiles(place('file')).list()).rejects.toMatchObject({ code: 'permission' });
});
