/** A folder's clock is set where the folder is made, and nowhere else: under keys and a log, another clock would end their days. */
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { attempt } from './in-process.js';

describe('the clock of a folder that was made without one', () => {
  let plain: string;
  beforeEach(async () => {
    plain = await mkdtemp(join(tmpdir(), 'firebreak-clock-'));
    onTestFinished(() => rm(plain, { recursive: true, force: true }));
    await attempt('authority', 'init', '--data-dir', plain);
  });

  it.each([
    ['authority', 'retain', '--dry-run', '--clock-start', '2027-12-31'],
    ['authority', 'status', '--clock-start', '2027-12-31'],
    ['authority', 'notify', '--person', '1', '--clock-rate', '60'],
    ['trace', '--case', '1', '--clock-start', '2027-12-31', '--clock-rate', '60'],
  ])('keeps the wall clock, whatever %s %s is told', async (...words) => {
    const { code, text } = await attempt(...words, '--data-dir', plain);
    expect(text).toContain(`the clock of ${plain} is the wall clock`);
    expect(text).toContain('leave --clock-start and --clock-rate to firebreak authority init');
    expect(code).toBe(2);
    expect(await readdir(plain)).not.toContain('clock.json');
  });

  it('takes a rate that is the wall’s for what it is', async () => {
    const { text } = await attempt('authority', 'status', '--clock-rate', '1', '--data-dir', plain);
    expect(text).toContain('no day has keys');
    expect(await readdir(plain)).not.toContain('clock.json');
  });
});

it('the clock of a folder is set where the folder is made, and may be named by whoever expects it', async () => {
  const set = await mkdtemp(join(tmpdir(), 'firebreak-clock-'));
  onTestFinished(() => rm(set, { recursive: true, force: true }));
  const clock = ['--clock-start', '2026-03-02T08:00Z', '--clock-rate', '60'];
  await attempt('authority', 'init', '--data-dir', set, ...clock);
  const before = await readFile(join(set, 'clock.json'), 'utf8');
  expect(JSON.parse(before)).toMatchObject({ startMs: Date.parse('2026-03-02T08:00Z'), rate: 60 });
  const named = await attempt('authority', 'status', '--data-dir', set, ...clock);
  expect(named.text).toContain('no day has keys');
  const other = await attempt('authority', 'status', '--data-dir', set, '--clock-start', '2027-01-01');
  expect(other.code).toBe(2);
  expect(await readFile(join(set, 'clock.json'), 'utf8')).toBe(before);
});
