/** `firebreak demo` as people run it. */
import { readdir, readFile, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { z } from 'zod';
import { PROJECT_ROOT, runFirebreak, startFirebreak, until } from './firebreak-process.js';
import { attempt } from './in-process.js';
import { filesUnder, openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let shop: Workshop;
beforeAll(async () => void (shop = await openWorkshop()));
afterAll(() => shop?.remove());

const seconds = z.int().min(1_700_000_000);
const step = z.strictObject({
  from: z.string().regex(/^\d+$/),
  to: z.string().regex(/^\d+$/),
  start: seconds,
  end: seconds,
  nearSeconds: z.int().positive(),
  mutual: z.boolean(),
  ledger: z.array(z.int().min(0)).min(1),
});
const person = z.strictObject({
  person: z.string().regex(/^\d+$/),
  hop: z.int().min(1),
  exposedAt: seconds,
  earliestAt: seconds,
  score: z.number().min(0).max(1),
  path: z.array(step).min(1),
});
/** tracing.md, "Output of a trace". */
const traceJson = z.strictObject({
  case: z.string(),
  direction: z.literal('forward'),
  hops: z.int(),
  from: seconds,
  to: seconds,
  minSeconds: z.int(),
  latentSeconds: z.int(),
  reachedCount: z.int(),
  missingReports: z.literal(0),
  reached: z.array(person),
});

describe('a demo on recorded contacts', () => {
  it('writes the trace as JSON and CSV, whole and under their own names', async () => {
    const [json, csv, data] = [
      shop.path('out/trace.json'),
      shop.path('out/trace.csv'),
      shop.path('out/data'),
    ];
    const args = ['--contacts', shop.contacts, '--case', '1', '--latent-seconds', '0', '--data-dir', data];
    await attempt('authority', 'init', '--data-dir', shop.path('out/other')); // makes out/
    const { code, stdout, stderr } = await runFirebreak('demo', ...args, '--json', json, '--csv', csv);
    expect(stderr).toBe('');
    expect(code).toBe(0);
    expect((await readdir(shop.path('out'))).sort()).toEqual(['data', 'other', 'trace.csv', 'trace.json']);
    expect((await filesUnder(data)).filter((file) => file.endsWith('.tmp'))).toEqual([]);

    const trace = traceJson.parse(JSON.parse(await readFile(json, 'utf8')));
    expect(trace).toMatchObject({ case: '1', hops: 3, from: 1_700_035_200, to: 1_700_043_600 });
    expect(trace.reached.map((row) => [row.person, row.hop, row.exposedAt, row.earliestAt])).toEqual([
      ['2', 1, 1_700_036_100, 1_700_036_100],
      ['3', 2, 1_700_043_300, 1_700_043_300],
    ]);
    expect(trace.reached[1]?.path.map(({ from, to }) => [from, to])).toEqual([
      ['1', '2'],
      ['2', '3'],
    ]);
    const rows = (await readFile(csv, 'utf8')).trimEnd().split('\n');
    expect(rows).toHaveLength(1 + trace.reached.length);
    expect(stdout).toContain('2 people may have been infected by 1, within 3 hops');
    expect(stdout).toContain('4 sealed reports');
    expect(stdout).toContain('UTC');
  });

  it('leaves a folder whose ledger verifies and answers again, at its own clock', async () => {
    const folder = await shop.copy();
    const verified = await attempt('ledger', 'verify', '--data-dir', folder);
    expect(verified).toMatchObject({ code: 0 });
    expect(verified.text).toContain('verified 12 entries');
    const json = shop.path('again.json');
    const again = await attempt(
      'trace',
      '--data-dir',
      folder,
      '--case',
      '3',
      '--direction',
      'backward',
      ...['--latent-seconds', '0', '--json', json],
    );
    expect(again).toMatchObject({ code: 0 });
    expect(again.text).toContain('recorded as ledger entry 12');
    const { reached } = z
      .object({ reached: z.array(person) })
      .parse(JSON.parse(await readFile(json, 'utf8')));
    expect(reached.map((row) => [row.person, row.hop])).toEqual([
      ['2', 1],
      ['1', 2],
    ]);
  });

  it('works in a new folder outside the checkout when none is named, and says where', async () => {
    const { code, text } = await attempt('demo', '--contacts', shop.contacts, '--case', '1');
    expect(code).toBe(0);
    const dir = /^working in (.+)$/m.exec(text)?.[1] ?? '';
    expect(dir.startsWith(join(tmpdir(), 'firebreak-demo-'))).toBe(true);
    expect(dir.startsWith(PROJECT_ROOT)).toBe(false);
    await rm(dir, { recursive: true });
  });

  it('picks a case itself when nobody names one', async () => {
    const { code, text } = await attempt(
      'demo',
      '--contacts',
      shop.contacts,
      '--data-dir',
      shop.path('picked'),
    );
    expect(code).toBe(0);
    expect(text).toContain('Case 2: the person with the most contact time');
  });
});

describe('a demo that cannot be', () => {
  it('refuses a folder that is not empty, and leaves it as it was', async () => {
    const folder = await shop.copy();
    await writeFile(join(folder, 'mine'), 'keep me');
    const before = await filesUnder(folder);
    const { code, text } = await attempt('demo', '--contacts', shop.contacts, '--data-dir', folder);
    expect({ code, text }).toEqual({
      code: 1,
      text: `firebreak: ${folder} is not empty; name a new or an empty folder`,
    });
    expect(await filesUnder(folder)).toEqual(before);
  });

  it('refuses a file in the place of a folder', async () => {
    const { code, text } = await attempt('demo', '--contacts', shop.contacts, '--data-dir', shop.contacts);
    expect(code).toBe(1);
    expect(text).toContain('is a file; name a folder');
  });

  it.each(['999', 'anna', '-1', '1.0'])('knows no case %s', async (who) => {
    const data = shop.path('nobody');
    const args = ['--contacts', shop.contacts, `--case=${who}`, '--data-dir', data];
    const { code, text } = await attempt('demo', ...args);
    expect(text).toBe(`firebreak: case ${who} is nobody in ${shop.contacts}; people there are 1, 2, 3, …`);
    expect(code).toBe(1);
    await expect(readdir(data)).rejects.toThrow('ENOENT');
  });

  it.each(['--json', '--csv'])(
    'finds out before the long work that %s has no folder to go to',
    async (option) => {
      const data = shop.path('unwritten');
      const args = ['--contacts', shop.contacts, '--data-dir', data, option, shop.path('no/such/file')];
      const { code, text } = await attempt('demo', ...args);
      expect(text).toContain(`there is no folder ${shop.path('no/such')}`);
      expect(text).not.toContain('working in');
      expect(code).toBe(1);
      await expect(readdir(data)).rejects.toThrow('ENOENT');
    },
  );

  it('finds out before the long work that a file asked for is a folder', async () => {
    const { code, text } = await attempt('demo', '--contacts', shop.contacts, '--json', shop.dir);
    expect({ code, text }).toEqual({
      code: 1,
      text: `firebreak: ${shop.dir} is a folder; name a file to write`,
    });
  });
});

describe('a demo that is interrupted', () => {
  it('stops with a word and exit code 130, and writes no trace', async () => {
    const [data, json] = [shop.path('cut'), shop.path('cut.json')];
    const demo = startFirebreak(['demo', '--data-dir', data, '--json', json], 'demo');
    await until('the ledger to grow', async () => (await sizeOf(join(data, 'ledger', 'store'))) > 50_000);
    demo.child.kill('SIGINT');
    const started = performance.now();
    expect(await demo.ended).toEqual({ code: 130, signal: null });
    expect(performance.now() - started).toBeLessThan(30_000);
    expect(demo.stderr()).toContain('firebreak: stopped before it was done');
    expect(demo.stderr()).not.toContain('unexpected');
    expect((await readdir(shop.dir)).filter((name) => name.startsWith('cut.json'))).toEqual([]);
  });
});

async function sizeOf(dir: string): Promise<number> {
  const files = await filesUnder(dir).catch(() => []);
  const sizes = await Promise.all(
    files.map((file) =>
      stat(file)
        .then(({ size }) => size)
        .catch(() => 0),
    ),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
