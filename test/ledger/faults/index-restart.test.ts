import { expect, test } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
import type { BatchItem } from '../../../protocol/mqtt/batch.js';
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
import { holdableDisk } from './holdable-disk.js';
import { slowDatabase } from './slow-disk.js';
import { requireSound } from './sound.js';
import { storedState } from './stored-state.js';

const REPORTS = 150;

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
  const database = holdableDisk();
  const storeTuning = { indexTableRecords: 100, disk: database.disk };
  const gateway = signerOf('gateway');
  const reports = Array.from({ length: REPORTS }, () => reportItem(gateway));
  const ledger = await openLedger(ledgerDeps(dir, { storeTuning }));
  const submit = async (seq: number): Promise<void> =>
    void (await ledger.submit(batchOf(gateway, seq, [reports[seq] as BatchItem])));
  await ledger.submit(batchOf(issuer, 0, [certificateItem(gateway)]));
  await submit(0); // for a writer's first batch the database is asked
  const before = database.waiting;
  database.hold();
  await submit(1);
  await expect.poll(() => database.waiting).toBeGreaterThan(before);
  for (let seq = 2; seq < REPORTS; seq++) await submit(seq); // they wait behind that write, to be joined
  database.release();
  await expect.poll(() => database.indexWritten).toBe(1);
  await ledger.submit(batchOf(issuer, 1, [certificateItem(signerOf('another gateway'))]));
  await ledger.close();
  const { indexedTo, values } = await storedState(dir);
  expect(values).not.toContain(indexedTo);
  expect(indexedTo).toBeGreaterThan(0);
  expect(indexedTo).toBeLessThan(1 + REPORTS);

  const again = await openLedger(ledgerDeps(dir));
  for (const [i, report] of reports.entries()) {
    const batch = batchOf(gateway, REPORTS + i, [report]);
    expect(openReceipt(await again.submit(batch), batch).outcomes).toEqual([{ reason: 0, index: 1 + i }]);
  }
  expect(again.status().size).toBe(2 + REPORTS);
  await again.close();
  await requireSound(dir);
});
