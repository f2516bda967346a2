import { setTimeout as sleep } from 'node:timers/promises';
import { expect, test } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
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

/** The real disk; `asked` counts keys that are asked for together, as values of the payload index's buckets are. */
function countingDisk(): Disk & { asked: number } {
  const disk = {
    ...NODE_DISK,
    asked: 0,
    database: (location: string, options: { readonly createIfMissing: boolean }) => {
      const db = NODE_DISK.database(location, options);
      const getMany = db.getMany.bind(db);
      db.getMany = (keys: Uint8Array[]) => {
        disk.asked += keys.length;
        return getMany(keys);
      };
      return db;
    },
  };
  return disk;
}

test('a ledger that was closed while its index was written does not look for each payload when it opens', async () => {
  const dir = await temporaryFolder();
  const gateway = signerOf('gateway');
  const storeTuning = { indexTableRecords: 100, disk: slowDatabase({ getMany: 20 }) };
  const ledger = await openLedger(ledgerDeps(dir, { storeTuning }));
  await ledger.submit(batchOf(issuer, 0, [certificateItem(gateway)]));
  for (let seq = 0; seq < REPORTS; seq++) await ledger.submit(batchOf(gateway, seq, [reportItem(gateway)]));
  await ledger.close();

  const disk = countingDisk();
  const again = await openLedger(ledgerDeps(dir, { storeTuning: { disk } }));
  expect(disk.asked).toBeLessThan(10);
  await again.close();
  await requireSound(dir);
});

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
