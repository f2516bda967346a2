/** A look is recorded before it is answered, so the answer reaches whoever asked, whatever becomes of the files. */
import { execFile } from 'node:child_process';
import { chmod, link, lstat, mkdir, mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { requireWritable, showTrace } from '../../cli/present/show-trace.js';
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import type { Contact } from '../../tracer/contact.js';
import { trace } from '../../tracer/looks/trace.js';
import { program } from '../program.js';
import { plainView } from '../reference/views.js';

const START = 20_700 * 86_400;
const contact: Contact = {
  ...{ a: asTagNumber(1), b: asTagNumber(2), epoch: asEpoch(0), start: START, end: START + 1800 },
  ...{ bucketSeconds: [1800, 0, 0, 0], attenuationDb: 50, mutual: true, partial: false, ledger: [7] },
};

function answer() {
  const { view, options } = plainView([contact]);
  const window = { from: START, to: START + 90_000, minSeconds: 900, latentSeconds: 0 };
  return trace(view, { case: '1', direction: 'forward', hops: 2, ...window }, options);
}

type Three = [string, string, string];

const runFile = promisify(execFile);
const OTHER_USER = new URL('./other-user-process.ts', import.meta.url);

let dir: string;
let said: string[];
beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-show-'));
  said = [];
  const spy = vi.spyOn(console, 'log').mockImplementation((text) => void said.push(String(text)));
  onTestFinished(async () => {
    spy.mockRestore();
    await rm(dir, { recursive: true });
  });
});

describe('the answer of a trace', () => {
  it('is on the screen and in the files, each named once it is written', async () => {
    const [json, csv] = [join(dir, 'a.json'), join(dir, 'a.csv')];
    await showTrace(answer(), { json, csv });
    expect(said.join('\n')).toContain('1 person may have been infected by 1');
    expect(said.slice(-2)).toEqual([`written to ${json}`, `written to ${csv}`]);
    expect(await readFile(json, 'utf8')).toContain('"person": "2"');
    expect(await readFile(csv, 'utf8')).toContain(',2,1,');
  });

  it('is in the CSV by score where that was asked for, and in the JSON by hop always', async () => {
    const [json, csv] = [join(dir, 'a.json'), join(dir, 'a.csv')];
    const rows = answer().reached.flatMap((row) => [
      { ...row, person: '8', score: 0.1 },
      { ...row, person: '9', score: 0.2 },
    ]);
    await showTrace({ ...answer(), reached: rows, reachedCount: 2 }, { json, csv, sort: 'score' });
    expect((await readFile(csv, 'utf8')).match(/^reached,\d/gm)).toEqual(['reached,9', 'reached,8']);
    expect((await readFile(json, 'utf8')).match(/"person": "\d"/g)).toEqual([
      '"person": "8"',
      '"person": "9"',
    ]);
  });

  it.each(['json', 'csv'])('is on the screen also when the file of --%s cannot be written', async (kind) => {
    const file = join(dir, 'gone', 'answer');
    await expect(showTrace(answer(), { [kind]: file })).rejects.toThrow(`${file} cannot be written`);
    expect(said.join('\n')).toContain('1 person may have been infected by 1');
    expect(said.join('\n')).not.toContain('written to');
  });

  it('is in every file that can be written, what cannot be had again first, and then says what failed', async () => {
    const [json, csv] = [join(dir, 'gone', 'answer'), join(dir, 'a.csv')];
    const saved = vi.fn(() => Promise.resolve());
    await expect(showTrace(answer(), { json, csv }, saved)).rejects.toThrow(`${json} cannot be written`);
    expect(saved).toHaveBeenCalledOnce();
    expect(said.at(-1)).toBe(`written to ${csv}`);
    const first = showTrace(answer(), { json, csv }, () => Promise.reject(new Error('the first')));
    await expect(first).rejects.toThrow('the first');
  });
});

it('does not put two answers into one file, one over the other', async () => {
  const [file, other] = [join(dir, 'a'), `${dir}/./a`];
  for (const files of [
    { json: file, csv: other },
    { json: file, evidence: other },
    { csv: file, evidence: other },
  ])
    // prettier-ignore
    await expect(requireWritable(files)).rejects.toMatchObject({ code: 'usage' });
  await expect(requireWritable({ json: file, csv: `${file}.csv` })).resolves.toBeUndefined();
});

describe('the file of an answer', () => {
  it.each(['json', 'csv', 'evidence'])('of --%s is no pipe, device or link', async (kind) => {
    const [pipe, linked, dangling] = ['pipe', 'linked', 'dangling'].map((name) => join(dir, name)) as Three;
    await runFile('mkfifo', [pipe]);
    await symlink('/dev/stdout', linked);
    await symlink(join(dir, 'nothing'), dangling);
    for (const file of [pipe, linked, dangling, '/dev/null', '/dev/stdout'])
      await expect(requireWritable({ [kind]: file })).rejects.toMatchObject({
        code: 'input',
        message: expect.stringMatching(`${file} .*name a regular file|cannot be written into`) as unknown,
      });
    expect((await lstat(pipe)).isFIFO()).toBe(true);
  });

  it('is in no folder that this user may not write into', async () => {
    const locked = join(dir, 'locked');
    await mkdir(locked);
    await chmod(dir, 0o755);
    await chmod(locked, 0o555);
    const { stdout } = await runFile(process.execPath, [program(OTHER_USER), join(locked, 'a')]);
    expect(JSON.parse(stdout)).toEqual({
      code: 'input',
      message: expect.stringContaining(`${locked} cannot be written into: this user may not`) as unknown,
    });
  });

  it('is not one of the data folder, however its path is spelled', async () => {
    const dataDir = join(dir, 'data');
    await mkdir(join(dataDir, 'tracer'), { recursive: true });
    await symlink(join(dataDir, 'tracer'), join(dir, 'link'));
    const inside = ['firebreak.json', 'new', 'tracer/writer.key'].map((name) => join(dataDir, name));
    for (const file of [...inside, join(dir, 'link', 'a'), `${dir}/./data/../data/a`])
      for (const kind of ['json', 'csv', 'evidence'])
        // prettier-ignore
        await expect(requireWritable({ [kind]: file }, { dataDir })).rejects.toMatchObject({ code: 'usage' });
    await expect(requireWritable({ json: join(dir, 'database') }, { dataDir })).resolves.toBeUndefined();
  });

  it('is not one that is read for it, under whatever name', async () => {
    const cases = join(dir, 'cases');
    await writeFile(cases, '1\n2\n');
    await symlink(cases, join(dir, 'link'));
    await link(cases, join(dir, 'second'));
    for (const json of [cases, join(dir, 'link'), join(dir, 'second')])
      await expect(requireWritable({ json }, { inputs: [undefined, cases] })).rejects.toThrow(
        `${json} is read for the answer: name another file to write`,
      );
    await expect(requireWritable({ json: join(dir, 'a') }, { inputs: [cases] })).resolves.toBeUndefined();
  });
});
