/** `firebreak cluster` on the folder a demo left, where 1 was with 2, and 2 with 3 later; and files of cases. */
import { execFile } from 'node:child_process';
import { lstat, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { parseCases } from '../../cli/files/cases-file.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let workshop: Workshop;
beforeAll(async () => void (workshop = await openWorkshop()));
afterAll(() => workshop.remove());

describe('firebreak cluster', () => {
  it('ranks what the cases have in common and draws who may have infected whom, the look recorded first', async () => {
    const dir = await workshop.copy();
    const [cases, json] = [workshop.path('cases.txt'), workshop.path('cluster.json')];
    await writeFile(cases, '# the ward\n1 2023-11-15T13:00Z\n\n3, 1700060400\n');
    const { code, text } = await attempt(
      ...['cluster', '--data-dir', dir, '--cases', cases, '--latent-seconds', '0', '--json', json],
      ...['--officer', 'Dr. Ada', '--purpose', 'ward outbreak'],
    );
    expect(text).toMatch(/recorded as ledger entry \d+: Dr\. Ada, ward outbreak/);
    expect(text).toContain('2 cases, 2 of them with an onset');
    expect(text).toMatch(/ 1\. [12] /);
    expect(text).toMatch(/3 directly: near 3 for 5 min/);
    expect(text).toMatch(/└─ 3 .*5 min/);
    expect(text).toContain('no proof that anybody infected anybody');
    expect(code).toBe(0);
    const written: unknown = JSON.parse(await readFile(json, 'utf8'));
    expect(written).toMatchObject({
      cases: [{ tag: '1' }, { tag: '3', onset: 1_700_060_400 }],
      sourceCount: 2,
    });
  });

  it('asks whether the number of a case that is in no contact is right', async () => {
    const cases = workshop.path('unknown.txt');
    await writeFile(cases, '1\n9999\n');
    const dir = await workshop.copy();
    const { code, text } = await attempt(
      'cluster',
      '--data-dir',
      dir,
      '--cases',
      cases,
      '--from',
      '2023-11-15T10:21Z',
    );
    expect(text).toMatch(/recorded as ledger entry \d+/);
    expect(text).toContain('nothing is known of this window: contacts');
    expect(text).toContain('9999 is in no contact at all, and no gateway saw it: is the number right?');
    expect(text).not.toContain('infected 9999');
    expect(code).toBe(0);
  });

  it('says by its number which line of the cases is none, before anything is looked at', async () => {
    const cases = workshop.path('bad.txt');
    await writeFile(cases, '1\nnobody\n');
    const { code, text } = await attempt('cluster', '--data-dir', workshop.demo, '--cases', cases);
    expect(code).toBe(1);
    expect(text).toContain(`${cases}, line 2: it begins with no tag number`);
    const missing = await attempt('cluster', '--data-dir', workshop.demo, '--cases', workshop.path('none'));
    expect(missing.text).toContain('there is no file');
    expect((await attempt('cluster', '--data-dir', workshop.demo)).code).toBe(2);
  });
});

it('firebreak trace says of a window in a mistyped year that nothing is known of it, the look recorded first', async () => {
  const dir = await workshop.copy();
  const window = ['--from', '2020-01-01', '--to', '2020-01-02'];
  const { code, text } = await attempt('trace', '--data-dir', dir, '--case', '1', ...window);
  expect(text).toMatch(
    /recorded as ledger entry \d+[^]*\nnothing is known of this window: contacts are known from /,
  );
  expect(text).not.toMatch(/0 people|nobody/);
  expect(code).toBe(0);
});

it.each(['cluster', 'trace'])(
  'firebreak %s writes over nothing it needs, and records no look',
  async (command) => {
    const dir = await workshop.copy();
    const [cases, config] = [workshop.path('kept.txt'), join(dir, 'firebreak.json')];
    await writeFile(cases, '1\n3\n');
    const before = await readFile(config);
    const asked = command === 'cluster' ? ['--cases', cases] : ['--case', '1'];
    for (const json of command === 'cluster' ? [config, cases] : [config]) {
      const { code, text } = await attempt(command, '--data-dir', dir, ...asked, '--json', json);
      expect([code, text.includes('recorded as')]).toEqual([2, false]);
      expect(text).toMatch(/is in the data folder|is read for the answer/);
    }
    const pipe = workshop.path(`${command}.pipe`);
    await promisify(execFile)('mkfifo', [pipe]);
    const { code, text } = await attempt(command, '--data-dir', dir, ...asked, '--json', pipe);
    expect([code, text.includes('recorded as')]).toEqual([1, false]);
    expect(text).toContain('name a regular file');
    expect((await lstat(pipe)).isFIFO()).toBe(true);
    expect(await readFile(config)).toEqual(before);
    expect(await readFile(cases, 'utf8')).toBe('1\n3\n');
  },
  60_000,
);

describe('a file of cases', () => {
  it('holds a tag number a line, with or without an onset, in the ways people write', () => {
    const text = '\uFEFF# cases\n7\r\n\t8\t2026-03-02T08:30Z\n9,1772440200\n 010 2026-03-02 08:30Z \n';
    const onset = 1_772_440_200;
    expect(parseCases(text, 'cases')).toEqual([
      { tag: '7' },
      { tag: '8', onset },
      { tag: '9', onset },
      { tag: '10', onset },
    ]);
  });

  it.each([
    ['a name', '1\nbob', 'line 2'],
    ['a negative number', '1\n2\n-3', 'line 3'],
    ['a number no tag has', '281474976710656\n2', 'line 1'],
    ['a day that does not exist', '1\n\n2 2026-13-01', 'line 3: the onset must be'],
    ['a 30th of February', '1\n2 2026-02-30', 'line 2: the onset must be'],
    ['a day without its dashes', '1 20260302\n2', 'line 1: the onset: 20260302 .* write 2026-03-02'],
    ['words after the tag', '1 yesterday\n2', 'line 1: the onset must be'],
    ['the same case again', '1\n2\n01', 'line 3: the case of line 1 again'],
    ['one case', '1', '2 to 64 cases, and here is 1'],
    ['65 cases', Array.from({ length: 65 }, (_, n) => n).join('\n'), 'and here are 65'],
  ])('is refused with %s', (_what, text, says) => {
    expect(() => parseCases(text, 'cases')).toThrow(
      expect.objectContaining({ code: 'input', message: expect.stringMatching(says) as unknown }),
    );
  });
});
