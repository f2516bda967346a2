/** `authority retain` on days of which only the authority's records tell: their key files are gone, and the log was told nothing. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { openLevelRecords } from '../../authority/records/records-level.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { setFolderClock } from '../../cli/days/folder-clock.js';
import { readConfig } from '../../cli/folder/config.js';
import { folderAt, type DataFolder } from '../../cli/folder/folder.js';
import { issuerIdOf } from '../../protocol/keys.js';
import { runFolderLedger } from './folder-ledger.js';
import { attempt } from './in-process.js';
import { openWorkshop } from './small-demo.js';

/** The demo's day, and a moment three weeks and a bit later. */
const DEMO_DAY = 19_676;
const AFTER_MS = (DEMO_DAY + 22) * 86_400_000 + 3_600_000;

async function endedFolder(): Promise<DataFolder> {
  const shop = await openWorkshop();
  onTestFinished(() => shop.remove());
  const folder = folderAt(await shop.copy());
  for (const day of await dayKeyFiles(folder.authority.dayKeys).list())
    if (day <= DEMO_DAY) await rm(join(folder.authority.dayKeys, `${day}.key`));
  await setFolderClock(folder, AFTER_MS, 1);
  return folder;
}

/** With the ledger running. */
async function retainIn(folder: DataFolder, ...more: readonly string[]) {
  const close = await runFolderLedger(folder);
  try {
    await attempt('ledger', 'clock', '--yes', '--data-dir', folder.dir);
    return await attempt('authority', 'retain', '--data-dir', folder.dir, ...more);
  } finally {
    await close();
  }
}

test('a day whose keys were lost ends like any other, also by an authority that does not run', async () => {
  const folder = await endedFolder();
  const dry = await retainIn(folder, '--dry-run');
  expect(dry.text).toContain('the log does not say yet that the keys of 2023-11-15 are destroyed');
  expect(dry.text).not.toContain('nothing: no older day');
  const { code, text } = await retainIn(folder, '--yes');
  expect(text).toMatch(/done:\n {2}2023-11-15 {2}keys destroyed; payloads pruned by entry \d+\n/);
  expect(text).toContain('the ledger has removed the payloads from its files');
  expect(code).toBe(0);
  expect((await retainIn(folder, '--dry-run')).text).toContain('nothing: no older day has keys');
});

test('a day of which the authority knows nothing stays, and it says so', async () => {
  const folder = await endedFolder();
  const records = await openRecords(folder);
  const made: string[] = [];
  for (const prefix of ['made/', 'statement/'])
    for await (const [key] of records.list(prefix)) made.push(key);
  await records.write(made.map((key) => [key, undefined]));
  await records.close();
  const { code, text } = await retainIn(folder, '--yes');
  expect(text).toContain('2023-11-15  payloads stay: the authority knows of no keys of that day');
  expect(text).not.toContain('the ledger has removed');
  expect(code).toBe(0);
});

async function openRecords(folder: DataFolder) {
  const { issuerPublicKey } = await readConfig(folder);
  return openLevelRecords(folder.authority.registry, issuerIdOf(issuerPublicKey));
}
