/** What is read of a folder whose ledger lost the end of a file of payloads, or all of it: everything but those payloads. */
import { rm, stat, truncate } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, describe, expect, onTestFinished, test } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { runFolderLedger } from './folder-ledger.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';
import type { Workshop } from './small-demo.js';

let workshop: Workshop;
let dir: string;
beforeAll(async () => void (workshop = await openWorkshop()));
beforeEach(async () => {
  dir = await workshop.copy();
  await rm(join(dir, 'tracer', 'contacts'), { recursive: true, force: true });
});
afterAll(() => workshop?.remove());

const REPORTS = '19676'; // 2023-11-15
const ask = (...args: readonly string[]) => attempt(...args, '--data-dir', dir);
const fileOf = (name: string): string => join(dir, 'ledger', 'store', 'payloads', name);
const shorten = async (name: string) => truncate(fileOf(name), (await stat(fileOf(name))).size - 40);

async function runLedger(): Promise<void> {
  const end = await runFolderLedger(folderAt(dir));
  onTestFinished(end);
}

describe.each([
  ['that runs', runLedger],
  ['that is stopped', async () => undefined],
])('of a ledger %s', (_what, begin) => {
  test.each([
    ['cut short', shorten, '1 payload is damaged: that of entry 10.'],
    ['gone', async (name: string) => rm(fileOf(name)), '4 payloads are damaged: those of entries 7 8 9 10.'],
  ])('verify names the entries whose payloads are %s, and checks the rest', async (_how, harm, said) => {
    await begin();
    await harm(REPORTS);
    const { code, text } = await ask('ledger', 'verify');
    expect(text).toContain(`the log of 12 entries in ${dir} is whole, but ${said}`);
    expect(text).toContain('firebreak ledger fsck');
    expect(code).toBe(1);
  });

  test('audit says which look nobody can be shown', async () => {
    await begin();
    await shorten('kept');
    const { code, text } = await ask('audit', '--tag', '2');
    expect(code, text).toBe(0);
    expect(text).toContain('1 entry records a look that nobody can be shown');
    expect(text).toMatch(/entry 11, .*: the ledger does not hold what it records, or holds it damaged/);
  });
});

test('a trace answers over the HTTP of a ledger whose reports are cut short, and says what it lacks', async () => {
  await runLedger();
  await shorten(REPORTS);
  const { code, text } = await ask('trace', '--case', '1', '--latent-seconds', '0');
  expect(code, text).toBe(0);
  expect(text).toContain('2 people may have been infected by 1');
  expect(text).toContain('1 report or approval of a gateway could not be read');
});
