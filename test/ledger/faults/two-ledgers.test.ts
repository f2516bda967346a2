import { execFile } from 'node:child_process';
import { mkdtemp, readFile, rm, symlink, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { JOURNAL_FILES } from '../../../ledger/store/folder.js';
import { openLedger } from '../../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer, openReceipt, temporaryFolder } from '../deployment.js';
import { program } from '../../program.js';
import { requireSound } from './sound.js';
import { memoryFolder } from './fault-sweep.js';

const CHILD = new URL('./open-child.ts', import.meta.url);
const run = promisify(execFile);

const batchOfSeq = (seq: number) => batchOf(officer, seq, [noticeItem(`${seq}`)]);

/** What another process says when it opens the ledger in `dir`. */
async function openElsewhere(dir: string): Promise<unknown> {
  const { stdout } = await run(process.execPath, [program(CHILD), dir]);
  return JSON.parse(stdout) as unknown;
}

const filesOf = (dir: string): Promise<Buffer[]> =>
  Promise.all([...JOURNAL_FILES, 'head'].map((name) => readFile(join(dir, name))));

test('a second process on the folder is refused, by any path, and the first one goes on unharmed', async () => {
  const dir = await temporaryFolder();
  const links = await mkdtemp(join(memoryFolder(), 'firebreak-link-'));
  onTestFinished(() => rm(links, { recursive: true }));
  const link = join(links, 'same');
  await symlink(dir, link);
  const ledger = await openLedger(ledgerDeps(dir));
  for (let seq = 0; seq < 10; seq++) await ledger.submit(batchOfSeq(seq));
  const before = await filesOf(dir);
  for (const path of [dir, link]) {
    expect(await openElsewhere(path)).toMatchObject({
      code: 'locked',
      message: expect.stringContaining(`the ledger in ${path} is open in another process`) as string,
    });
  }
  expect(await filesOf(dir)).toEqual(before);
  for (let seq = 10; seq < 20; seq++) await ledger.submit(batchOfSeq(seq));
  await ledger.close();
  expect(await openElsewhere(dir)).toEqual({ size: 20 });
  await requireSound(dir);
});

test('a lock that a killed ledger left is no lock', async () => {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  const batch = batchOfSeq(0);
  await ledger.submit(batch);
  await ledger.close();
  await writeFile(join(dir, 'store', 'LOCK'), '4711');
  const again = await openLedger(ledgerDeps(dir));
  expect(openReceipt(await again.submit(batch), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  await again.close();
});
