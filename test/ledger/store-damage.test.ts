/** What a ledger says to whoever finds it damaged: what to do first, and when a copy may be started. */
import { readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';

const FIRST =
  'Leave the folder as it is: with the ledger stopped, firebreak ledger fsck --data-dir DIR says what of it is whole. ' +
  'Before you start a copy, read docs/ledger-fsck.md: one that is too old forks the log';

async function folderWithEntries(): Promise<string> {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  await ledger.submit(batchOf(officer, 0, [noticeItem('a'), noticeItem('b')]));
  await ledger.close();
  return dir;
}

describe('a damaged ledger says what to do first, and where it stands when a copy would be a fork', () => {
  test.each([
    [
      'its head file',
      (dir: string) => writeFile(join(dir, 'head'), Buffer.alloc(256, 7)),
      (dir: string) => `${join(dir, 'head')}, which tells how far the ledger has answered, is damaged`,
    ],
    [
      'its store, as a whole',
      (dir: string) => rm(join(dir, 'store'), { recursive: true }),
      (dir: string) => `parts of the ledger's store in ${dir} are missing`,
    ],
    [
      'the manifest of its store',
      async (dir: string) => {
        const names = await readdir(join(dir, 'store'));
        for (const name of names.filter((one) => one.startsWith('MANIFEST')))
          await truncate(join(dir, 'store', name));
      },
      (dir: string) => `the ledger's store in ${dir} is damaged (`,
    ],
    [
      'a file of payloads',
      (dir: string) => truncate(join(dir, 'payloads', 'kept'), 1),
      (dir: string) => `payloads/kept in ${dir} has lost its end`,
    ],
  ])('%s', async (_what, harm, said) => {
    const dir = await folderWithEntries();
    await harm(dir);
    const failure: unknown = await openLedger(ledgerDeps(dir)).catch((error: unknown) => error);
    expect(failure).toMatchObject({ code: 'damaged' });
    const { message } = failure as Error;
    expect(message.startsWith(said(dir))).toBe(true);
    expect(message.endsWith(`. ${FIRST}`)).toBe(true);
  });
});
