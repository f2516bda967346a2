/** Files of contacts that are none: the message names the file and the line, and no folder is made. */
import { gzipSync } from 'node:zlib';
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { runFirebreak } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
beforeEach(async () => void (dir = await mkdtemp(join(tmpdir(), 'firebreak-contacts-'))));
afterEach(() => rm(dir, { recursive: true, force: true }));

const GOOD = '20 1 2\n40 1 2\n';
const GARBAGE = Uint8Array.from({ length: 3000 }, (_, place) => (place * 7919 + (place >> 3)) % 256);
const BROKEN_GZIP = gzipSync(Buffer.from(GOOD.repeat(50))).subarray(0, 30);

const BAD: readonly (readonly [what: string, content: string | Uint8Array, says: string])[] = [
  ['a line that is too short', `${GOOD}60 1\n`, 'line 3: expected "t i j"'],
  ['a line that is too long', `${GOOD}60 1 2 3\n`, 'line 3: expected "t i j"'],
  [
    'a time that is no multiple of 20',
    `# a\n\n${GOOD}50 1 2\n`,
    'line 5: the time t is not a multiple of 20',
  ],
  ['a time that is no number', 'noon 1 2\n', 'line 1: the time t is not a whole number'],
  ['a negative time', '-20 1 2\n', 'line 1: the time t is not a whole number'],
  ['a person that is no number', `${GOOD}60 1 Anna\n`, 'line 3: the person j is not a whole number'],
  ['an empty field', '20,,2\n', 'line 1: a field is empty'],
  ['an empty file', '', 'holds no contact between two persons'],
  ['a file of comments', '# nobody\n', 'holds no contact between two persons'],
  ['people who met only themselves', '20 5 5\n', 'holds no contact between two persons'],
  ['no text at all', GARBAGE, 'line 1: '],
  ['one endless line', '1'.repeat(20_000), 'line 1: the line is too long; is this a file of contacts?'],
  ['gzip that breaks off', BROKEN_GZIP, 'is damaged gzip'],
];

describe('a file of contacts', () => {
  it.each(BAD)('is refused by name: %s', async (_what, content, says) => {
    const file = join(dir, 'contacts');
    await writeFile(file, content);
    const { code, text } = await attempt('demo', '--contacts', file, '--data-dir', join(dir, 'new'));
    expect(text).toContain(`firebreak: ${file}`);
    expect(text).toContain(says);
    expect(code).toBe(1);
    expect(await readdir(dir)).toEqual(['contacts']);
  });

  it('shows no control characters of what it could not read', async () => {
    const file = join(dir, 'contacts');
    await writeFile(file, '20 1 \u001b]0;owned\u0007\u009b31m\n');
    const { text } = await attempt('demo', '--contacts', file);
    expect(text).toContain('line 1: the person j');
    expect(text.trimEnd()).not.toMatch(/\p{C}/u);
  });

  it('must exist', async () => {
    const file = join(dir, 'nowhere');
    expect(await attempt('demo', '--contacts', file)).toMatchObject({
      code: 1,
      text: `firebreak: there is no file ${file}`,
    });
  });

  it('must be a file', async () => {
    const { code, text } = await attempt('demo', '--contacts', dir);
    expect(code).toBe(1);
    expect(text).toContain(`firebreak: cannot read ${dir}`);
  });

  it('is what an air is refused without, too', async () => {
    const data = join(dir, 'data');
    await attempt('authority', 'init', '--replay', '--data-dir', data);
    const file = join(dir, 'contacts');
    await writeFile(file, `${GOOD}60 1\n`);
    const { code, stderr } = await runFirebreak('air', 'run', '--data-dir', data, '--contacts', file);
    expect(stderr).toContain(`firebreak: ${file}, line 3: expected`);
    expect(code).toBe(1);
    expect(await readdir(join(data, 'run'))).toEqual([]);
  });
});
