/** Copies of day keys that are found: as text, without a key file's header, in large files, and after a crash. */
import { chmod, mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, test } from 'vitest';
import { newDayKeys } from '../../authority/days/day-keys.js';
import { dayKeyPrints, encodeDayKeyFile } from '../../authority/days/day-key-file.js';
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { noteDestroyedDay } from '../../cli/days/destroyed-days.js';
import { secretSearch } from '../../cli/days/secret-search.js';
import { wipeParts } from '../../cli/days/wipe-file.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';
import { leaveRoot } from '../leave-root.js';

const DAY = 20_700;
const PIECE = 1 << 20;
const unstopped = new AbortController().signal;

const keysOf = (day: number): DayKeys => {
  let count = 0;
  return newDayKeys(day, (length) => sha256(Buffer.from(`${day}/${(count += 1)}`)).subarray(0, length));
};
const secretsOf = ({ idKey, macKey, sealingSecretKey }: DayKeys): Buffer[] =>
  [idKey, macKey, sealingSecretKey].map((secret) => Buffer.from(secret));

const keyFileOf = (day: number) => Buffer.from(encodeDayKeyFile(keysOf(day)));
const [ID_KEY, MAC_KEY, SEALING] = secretsOf(keysOf(DAY)) as [Buffer, Buffer, Buffer];
const all = Buffer.concat([ID_KEY, MAC_KEY, SEALING]);
const upper = (text: string) => text.toUpperCase();
const inLines = (text: string, columns: number, end = '\n') =>
  (text.match(new RegExp(`.{1,${columns}}`, 'g')) ?? []).join(end);
const padded = (shift: number, bytes: Buffer) =>
  Buffer.concat([Buffer.alloc(shift, 'x'), bytes, Buffer.from('yz')]);

let root: string;
let store: DayKeyStore;
const place = (...parts: string[]) => join(root, ...parts);

beforeEach(async () => {
  root = await mkdtemp(join(tmpdir(), 'firebreak-stray-'));
  onTestFinished(() => rm(root, { recursive: true, force: true }));
  store = dayKeyFiles(place('day-keys'), root);
  await store.put(keysOf(DAY));
  await store.put(keysOf(DAY + 1));
});

/** Runs of 8 characters of any text of a secret: of what was found, none is left. */
function remainsIn(bytes: Buffer): number {
  const text = bytes.toString('latin1').replaceAll(/\s/g, '');
  const forms = [ID_KEY, MAC_KEY, SEALING].flatMap((secret) => [
    ...[secret.toString('latin1'), secret.toString('hex'), upper(secret.toString('hex'))],
    ...[0, 1, 2].flatMap((shift) =>
      (['base64', 'base64url'] as const).map((as) => padded(shift, secret).toString(as).slice(4, 42)),
    ),
  ]);
  return forms.filter((form) =>
    Array.from({ length: form.length - 7 }, (_, at) => form.slice(at, at + 8)).some((part) =>
      text.includes(part),
    ),
  ).length;
}

const TEXTS: readonly (readonly [string, string | Buffer])[] = [
  ['a secret without its header', Buffer.concat([Buffer.from('before'), MAC_KEY, Buffer.from('after')])],
  ['half of one', MAC_KEY.subarray(0, 20)],
  ['hex', `idKey: ${ID_KEY.toString('hex')}\n`],
  ['hex in capitals', `{"sealing":"${upper(SEALING.toString('hex'))}"}`],
  ['hex of the whole file', keyFileOf(DAY).toString('hex')],
  ['hex in lines of 60, as xxd -p writes', inLines(keyFileOf(DAY).toString('hex'), 60)],
  ['base64', MAC_KEY.toString('base64')],
  ['base64url', `https://example.org/#${SEALING.toString('base64url')}`],
  ['base64 of the whole file', keyFileOf(DAY).toString('base64')],
  ['base64 in lines of 76', inLines(keyFileOf(DAY).toString('base64'), 76)],
  ['base64 in lines of 64, for Windows', inLines(padded(7, all).toString('base64'), 64, '\r\n')],
  ['base64 in lines of 40, as fold writes', inLines(SEALING.toString('base64'), 40)],
  ['hex in lines of 32, indented', `idKey:\n    ${inLines(ID_KEY.toString('hex'), 32, '\n    ')}`],
  ['base64 in lines of 32, by tabs', `\t${inLines(padded(2, all).toString('base64'), 32, ' \r\n\t')}`],
  ['base64 of a longer text, one on', padded(1, all).toString('base64')],
  ['base64url of a longer text, two on', padded(2, all).toString('base64url')],
];

describe('while the keys of a day are destroyed', () => {
  it.each(TEXTS)('a copy as %s is overwritten where it stands', async (_, text) => {
    const others = Buffer.alloc(100_000, '.'); // by prints no text is found in a file as large
    const before = Buffer.concat([others, Buffer.from('\n'), Buffer.from(text), Buffer.from('\nof others')]);
    await writeFile(place('note'), before);
    expect(remainsIn(before)).toBeGreaterThan(0);
    expect(await store.destroy([DAY])).toEqual({ found: [DAY], failure: undefined });
    const after = await readFile(place('note'));
    expect(remainsIn(after)).toBe(0);
    expect(after).toHaveLength(before.length);
    expect(after.subarray(0, others.length)).toEqual(others);
    expect(after.toString('latin1')).toMatch(/\nof others$/);
    expect([...after].every((byte, i) => byte === 0 || byte === before[i])).toBe(true);
  });

  it('only what holds them is overwritten', async () => {
    const kept = [
      keyFileOf(DAY + 1),
      Buffer.from(
        secretsOf(keysOf(DAY + 1))
          .map((one) => one.toString('hex'))
          .join('\n'),
      ),
    ];
    await writeFile(place('kept'), Buffer.concat(kept));
    await writeFile(
      place('mixed'),
      Buffer.concat([Buffer.from('"'), Buffer.from(ID_KEY.toString('hex')), Buffer.from('"')]),
    );
    expect((await store.destroy([DAY])).found).toEqual([DAY]);
    expect(await readFile(place('kept'))).toEqual(Buffer.concat(kept));
    expect(await readFile(place('mixed'), 'latin1')).toBe(`"${'\0'.repeat(64)}"`);
  });

  it('copies are found in a file of any size, also over the ends of the pieces that it is read in', async () => {
    const forms = [
      ID_KEY,
      Buffer.from(MAC_KEY.toString('hex')),
      keyFileOf(DAY),
      Buffer.from(SEALING.toString('base64')),
    ];
    const large = Buffer.alloc(5 * PIECE + 333, 0x2e);
    const ends = [PIECE, 2 * PIECE, 3 * PIECE, 4 * PIECE, large.length];
    // Where a piece ends depends on what it keeps of the one before.
    const at = ends.flatMap((end) => Array.from({ length: 40 }, (_, i) => end - 200 - i * 251));
    at.forEach((where, i) => forms[i % forms.length]?.copy(large, where));
    await writeFile(place('large'), large);
    expect((await store.destroy([DAY])).found).toEqual([DAY]);
    const after = await readFile(place('large'));
    expect(after).toHaveLength(large.length);
    expect(remainsIn(after)).toBe(0);
    expect(after.includes('FBDK')).toBe(false);
  });

  it('several days that end together are looked for together', async () => {
    const notes = [DAY, DAY + 1].map((day) => secretsOf(keysOf(day))[1]?.toString('base64'));
    await writeFile(place('note'), notes.join('\n'));
    expect((await store.destroy([DAY, DAY + 1])).found).toEqual([DAY, DAY + 1]);
    expect((await readFile(place('note'), 'latin1')).replaceAll('\0', '')).toBe('=\n=');
    expect(await store.list()).toEqual([]);
  });

  it('a folder that cannot be listed and a file that cannot be read keep no other copy, and are said', async () => {
    leaveRoot();
    const own = await mkdtemp(join(tmpdir(), 'firebreak-stray-'));
    const [shut, open] = [join(own, 'a'), join(own, 'b')];
    onTestFinished(() => chmod(shut, 0o700).then(() => rm(own, { recursive: true })));
    const files = dayKeyFiles(join(own, 'day-keys'), own);
    await files.put(keysOf(DAY));
    for (const dir of [shut, open]) await mkdir(dir);
    await writeFile(join(open, 'note'), MAC_KEY.toString('hex'));
    await writeFile(join(open, 'unread'), 'x');
    await chmod(join(open, 'unread'), 0o000);
    await chmod(shut, 0o000);
    expect(await files.destroy([DAY])).toMatchObject({ found: [DAY], failure: { code: 'EACCES' } });
    expect(remainsIn(await readFile(join(open, 'note')))).toBe(0);
    await expect(readFile(join(own, 'day-keys', `${DAY}.key`))).rejects.toMatchObject({ code: 'ENOENT' });
  });
});

describe('after a crash before the key file went', () => {
  beforeEach(async () => {
    await noteDestroyedDay(place('day-keys', 'destroyed'), DAY, dayKeyPrints(keysOf(DAY)));
    await writeFile(
      place('large'),
      Buffer.concat([Buffer.alloc(PIECE, 1), Buffer.from(MAC_KEY.toString('hex'))]),
    );
  });

  it('the next search still has the keys, and finds what only they can tell', async () => {
    expect(await store.removeStray(unstopped)).toEqual({ found: [DAY], failure: undefined });
    expect(remainsIn(await readFile(place('large')))).toBe(0);
    await expect(readFile(place('day-keys', `${DAY}.key`))).rejects.toMatchObject({ code: 'ENOENT' });
  });

  it('a search that is stopped leaves the key file to the next one', async () => {
    await expect(store.removeStray(AbortSignal.abort(new Error('stopped')))).rejects.toThrow('stopped');
    expect(await readFile(place('day-keys', `${DAY}.key`))).toEqual(keyFileOf(DAY));
    expect((await store.removeStray(unstopped)).found).toEqual([DAY]);
    expect(remainsIn(await readFile(place('large')))).toBe(0);
  });

  it('keys under that name that are not those of the day are not looked for, and go', async () => {
    const others = { ...keysOf(DAY + 5), day: DAY };
    await writeFile(place('day-keys', `${DAY}.key`), encodeDayKeyFile(others));
    const note = Buffer.from(others.macKey).toString('hex');
    await writeFile(place('note'), note);
    expect((await store.removeStray(unstopped)).found).toEqual([DAY]);
    expect(await readFile(place('note'), 'latin1')).toBe(note);
  });
});

describe('once the keys are destroyed', () => {
  const byPrints = TEXTS.filter(([what]) => !['a secret without its header', 'half of one'].includes(what));

  it.each(byPrints)(
    'a copy that comes later as %s is found by the prints, in a small file',
    async (_, text) => {
      await store.destroy([DAY]);
      await writeFile(place('note'), Buffer.concat([Buffer.from('of others\n'), Buffer.from(text)]));
      expect(await store.removeStray(unstopped)).toEqual({ found: [DAY], failure: undefined });
      expect(remainsIn(await readFile(place('note')))).toBe(0);
      expect((await readFile(place('note'), 'latin1')).startsWith('of others\n')).toBe(true);
    },
  );

  it('a key file inside a file of any size is found', async () => {
    const large = Buffer.alloc(3 * PIECE, 1);
    for (const at of [PIECE - 100, 2 * PIECE - 5]) keyFileOf(DAY).copy(large, at);
    await store.destroy([DAY]);
    await writeFile(place('large'), large);
    expect((await store.removeStray(unstopped)).found).toEqual([DAY]);
    expect(remainsIn(await readFile(place('large')))).toBe(0);
  });

  it('text that nobody knows to be a key stays', async () => {
    await store.destroy([DAY]);
    const text = [...secretsOf(keysOf(DAY + 2)), sha256(ID_KEY)]
      .map((one) => Buffer.from(one).toString('hex'))
      .join(' ');
    await writeFile(place('note'), text);
    expect((await store.removeStray(unstopped)).found).toEqual([]);
    expect(await readFile(place('note'), 'latin1')).toBe(text);
  });
});

test('a form is found wherever it stands, and by nothing less than 16 bytes of it', () => {
  const search = secretSearch([{ day: DAY, bytes: MAC_KEY }]);
  const forms = [
    MAC_KEY,
    ...[0, 1, 2].map((shift) => Buffer.from(padded(shift, MAC_KEY).toString('base64url'))),
  ];
  for (const form of [...forms, Buffer.from(MAC_KEY.toString('hex'))])
    for (let at = 0; at < 60; at++) {
      const bytes = Buffer.concat([Buffer.alloc(at, 1), form, Buffer.alloc(9, 1)]);
      expect(search.find(bytes, bytes.length), `at ${at}`).not.toEqual([]);
      const little = Buffer.concat([Buffer.alloc(at, 1), form.subarray(6, 21), Buffer.alloc(9, 1)]);
      expect(search.find(little, little.length)).toEqual([]);
    }
  search.close();
  expect(search.find(MAC_KEY, MAC_KEY.length)).toEqual([]);
});

test('what was found is left alone when others wrote there meanwhile, or cut the file', async () => {
  const file = place('journal');
  await writeFile(file, 'theirs, and more');
  await wipeParts(file, [
    { at: 0, bytes: Buffer.from('mine  ') },
    { at: 8, bytes: Buffer.from('and') },
    { at: 12, bytes: Buffer.from('more than there is') },
  ]);
  expect(await readFile(file, 'latin1')).toBe('theirs, \0\0\0 more');
  await wipeParts(place('gone'), [{ at: 0, bytes: Buffer.from('x') }]);
});
