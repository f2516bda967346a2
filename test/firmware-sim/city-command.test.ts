/** `firebreak city` as it is typed. */
import { mkdir, mkdtemp, readFile, readdir, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { readContactsFile } from '../../firmware-sim/recorded/contacts-file.js';
import { attempt } from '../cli/in-process.js';

let dir: string;
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-city-command-'))));
afterAll(() => rm(dir, { recursive: true, force: true }));

const BASE = ['city', '--people', '200', '--days', '2', '--seed', 'mill'];

describe('firebreak city', () => {
  test('writes days and a recording, and prints what the city is like', async () => {
    const [out, file] = [join(dir, 'mill'), join(dir, 'mill.dat')];
    const { code, text } = await attempt(
      ...BASE,
      '--out',
      out,
      '--contacts-file',
      file,
      '--start',
      '2026-03-07',
    );
    expect([code, text]).toEqual([0, expect.stringContaining('contacts of 200 people in 2 days')]);
    expect(text).toContain('school 0 %'); // a weekend
    expect(text).toMatch(/close, 15 min in 24 h +mean \d/);
    expect((await readdir(out)).sort()).toEqual(['20519.contacts', '20520.contacts', 'city.json']);
    const { persons, contacts } = await readContactsFile(file);
    expect(persons.length).toBeGreaterThan(150);
    expect(contacts.length).toBeGreaterThan(500);
  });

  test('leaves a folder with something in it, and a recording that is there, as they are', async () => {
    const [taken, file] = [join(dir, 'taken'), join(dir, 'taken.dat')];
    await mkdir(taken);
    await writeFile(join(taken, 'letters'), 'mine');
    await writeFile(file, 'mine');
    const full = await attempt(...BASE, '--out', taken);
    expect([full.code, full.text]).toEqual([1, expect.stringContaining('not empty')]);
    const other = await attempt(...BASE, '--out', join(dir, 'new'), '--contacts-file', file);
    expect([other.code, other.text]).toEqual([1, expect.stringContaining('is there already')]);
    expect(await readdir(taken)).toEqual(['letters']);
    expect(await readFile(file, 'utf8')).toBe('mine');
    expect(await readdir(dir)).not.toContain('new');
  });

  test('makes nothing where the recording could not be written', async () => {
    const args = ['--out', join(dir, 'new'), '--contacts-file', join(dir, 'gone', 'mill.dat')];
    const { code, text } = await attempt(...BASE, ...args);
    expect([code, text]).toEqual([1, expect.stringContaining('there is no folder')]);
    expect(await readdir(dir)).not.toContain('new');
  });

  test.each([
    ['of any name', ['near.contacts']],
    ['with the name of a day', ['20514.contacts']],
    ['with the name of the summary', ['city.json']],
    ['by another spelling of the path', ['..', 'linked', 'near.dat']],
    ['in a folder of it', ['deep', 'near.dat']],
    ['which is the folder itself', []],
  ])('keeps recordings out of the folder of the city: a file %s', async (what, parts) => {
    const parent = await mkdtemp(join(dir, 'apart-'));
    const out = join(parent, 'city');
    await mkdir(out);
    await symlink(out, join(parent, 'linked'));
    const args = ['--out', out, '--contacts-file', [out, ...parts].join('/')];
    const there = await attempt(...BASE, ...args);
    expect([there.code, there.text], what).toEqual([2, expect.stringContaining('name a file elsewhere')]);
    expect(await readdir(out)).toEqual([]);
    await rm(out, { recursive: true });
    await rm(join(parent, 'linked'));
    expect(await attempt(...BASE, ...args)).toMatchObject({ code: parts[0] === '..' ? 1 : 2 });
    expect(await readdir(parent)).toEqual([]);
  });

  test('takes a recording beside the folder, though its name begins alike', async () => {
    const args = ['--out', join(dir, 'alike'), '--contacts-file', join(dir, 'alike.dat')];
    expect(await attempt(...BASE, ...args)).toMatchObject({ code: 0 });
  });

  test('makes nothing of more contacts than can be traced', async () => {
    const args = ['--people', '16777215', '--contacts-per-day', '60', '--out', join(dir, 'vast')];
    const { code, text } = await attempt(...BASE, ...args);
    expect([code, text]).toEqual([1, expect.stringContaining('contacts are expected on one day')]);
    expect(await readdir(dir)).not.toContain('vast');
  });

  test.each([
    ['one person', ['--people', '1'], 'from 2 to 16777215'],
    ['no days', ['--days', '0'], 'from 1 to 180'],
    ['a day that there is not', ['--start', '2026-02-30'], 'a date such as'],
    ['a time for a day', ['--start', '2026-03-02T08:00'], 'a date such as'],
    ['more contacts than there are epochs for', ['--contacts-per-day', '61'], 'at most 60'],
    ['a seed of nothing', ['--seed', ''], '1 to 64'],
  ])('takes %s for a mistake in typing', async (_what, args, says) => {
    const { code, text } = await attempt(...BASE, '--out', join(dir, 'unused'), ...args);
    expect([code, text]).toEqual([2, expect.stringContaining(says)]);
    expect(await readdir(dir)).not.toContain('unused');
  });
});
