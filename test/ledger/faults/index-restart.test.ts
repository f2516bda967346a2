import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  openReceipt,
  reportItem,
  signerOf,
  temporaryFolder,
} from '../deployment.js';
import { slowDatabase } from './slow-disk.js';
import { requireSound } from './sound.js';

const REPORTS = 150;
/** Eight steps of reading and writing buckets, and more. */
const INDEX_WRITTEN_MS = 1000;

test('a ledger opened again knows every payload, though its index was written up to the middle of a joined value', async () => {
  const dir = await temporaryFolder();
  const deps = ledgerDeps(dir, {
    storeTuning: { indexTableRecords: 100, disk: slowDatabase({ batch: 30, getMany: 20 }) },
  });
  const gateway = signerOf('gateway');
  const reports = Array.from({ length: REPORTS }, () => reportItem(gateway));
  const ledger = await openLedger(deps);
  await ledger.submit(batchOf(issuer, 0, [certificateItem(gateway)]));
  for (const [seq, report] of reports.entries()) await ledger.submit(batchOf(gateway, seq, [report]));
  await sleep(INDEX_WRITTEN_MS);
  await ledger.submit(batchOf(issuer, 1, [certificateItem(signerOf('another gateway'))]));
  await ledger.close();

  const again = await openLedger(ledgerDeps(dir));
  for (const [i, report] of reports.entries()) {
    const batch = batchOf(gateway, REPORTS + i, [report]);
    expect(openReceipt(await again.submit(batch), batch).outcomes).toEqual([{ reason: 0, index: 1 + i }]);
  }
  expect(again.status().size).toBe(2 + REPORTS);
  await again.close();
  await requireSound(dir);
});
