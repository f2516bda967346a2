/** `firebreak ledger clock`: believed, doubted, no ledger that runs, one elsewhere, and what cannot be known are told apart. */
import { existsSync } from 'node:fs';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { announce } from '../../cli/files/run-files.js';
import { keepStatus } from '../../cli/files/status-file.js';
import { attempt } from './in-process.js';

const STATUS = {
  ...{ origin: 'log.example', size: 9, gateways: 0, pendingBatches: 0 },
  publication: { size: 9, witnesses: [] },
};
const clockDoubt = { clockMs: 1_767_225_600_000, newestMs: 1_764_547_200_000 };
const BELIEVED = 'the ledger dates entries by it';
const NOT_RUNNING = 'the ledger does not run: it says at its start whether it believes this clock';

let folder: DataFolder;
const clock = (...more: readonly string[]) => attempt('ledger', 'clock', '--data-dir', folder.dir, ...more);

beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-clock-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', folder.dir);
  await mkdir(join(folder.ledger.status, '..'), { recursive: true });
});

it.each([
  ['believes its clock', STATUS, BELIEVED],
  [
    'doubts it',
    { ...STATUS, clockDoubt },
    'the newest entry is of 2025-12-01 00:00 UTC: nothing is taken in',
  ],
])('says of a ledger that runs that it %s', async (_what, status, words) => {
  onTestFinished(await keepStatus(folder.ledger.status, () => status));
  const { code, text } = await clock();
  expect(text).toMatch(/^the clock says \d{4}-/);
  expect(text).toContain(words);
  expect(text.includes(BELIEVED)).toBe(words === BELIEVED);
  expect(code).toBe(0);
});

it('says of one that never ran, and of one that stopped, that it does not run', async () => {
  const never = await clock();
  expect([never.code, never.text]).toEqual([0, expect.stringContaining(NOT_RUNNING)]);
  const stop = await keepStatus(folder.ledger.status, () => ({ ...STATUS, clockDoubt }));
  await stop();
  const left = JSON.parse(await readFile(folder.ledger.status, 'utf8')) as object;
  await writeFile(folder.ledger.status, JSON.stringify({ ...left, pid: 2 ** 22 + 1 })); // above all process numbers
  const { code, text } = await clock();
  expect([code, text]).toEqual([0, expect.stringContaining(NOT_RUNNING)]);
  expect(text).not.toContain('nothing is taken in');
});

it('is why no trace is answered, which says so in place of waiting', async () => {
  onTestFinished(await keepStatus(folder.ledger.status, () => ({ ...STATUS, clockDoubt })));
  onTestFinished(await announce(folder, 'tracer', { http: 'http://127.0.0.1:1' }));
  const { code, text } = await attempt('trace', '--data-dir', folder.dir, '--case', '1');
  expect(text).toContain(
    'there is no answer: the clock says 2026-01-01 00:00 UTC, and the newest entry is of',
  );
  expect(text.trimEnd().split('\n')).toHaveLength(1);
  expect(code).toBe(1);
});

it('says why it cannot be known, and still takes a person’s word', async () => {
  await writeFile(folder.ledger.status, '{}');
  const damaged = await clock();
  expect([damaged.code, damaged.text]).toEqual([
    1,
    expect.stringContaining('is not a status of this version'),
  ]);
  await rm(folder.ledger.status);
  await mkdir(folder.ledger.status);
  const unread = await clock();
  expect([unread.code, unread.text]).toEqual([1, expect.stringContaining('status.json cannot be read')]);
  expect(await clock('--yes')).toMatchObject({ code: 0 });
});

it.each([
  ['clock', []],
  ['clock', ['--yes']],
  ['status', []],
  ['fsck', []],
])('takes no word for a ledger that is elsewhere, and says where that is: %s %j', async (command, more) => {
  await writeFile(folder.ledgerPlace, 'https://ledger.example.org\nmqtts://ledger.example.org\n');
  const { code, text } = await attempt('ledger', command, '--data-dir', folder.dir, ...more);
  expect(text).toContain('the ledger of this deployment is at https://ledger.example.org');
  expect(text).toContain('ask on its machine');
  expect(code).toBe(1);
  expect(existsSync(folder.ledger.saidClock)).toBe(false);
});
