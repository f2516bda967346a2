/** What fsck makes of the parts of the payload index. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, describe, expect, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { FILTER_BYTES } from '../../ledger/store/payload-filter.js';
import { filterKey } from '../../ledger/store/store-keys.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';
import { change, foundInCopy } from './fsck-damage.js';
import { seeded } from './fsck-flips.js';
import { checkFolder, foundIn, onStore } from './fsck-folder.js';
import { asOlderFolder } from './older-index.js';

const storeTuning = { indexTableRecords: 120, indexFilterHashes: 240 };
const BATCHES = 12;
const BATCH = 50;

let whole: string;

async function append(dir: string, from: number): Promise<void> {
  const ledger = await openLedger(ledgerDeps(dir, { storeTuning }));
  for (let seq = from; seq < from + BATCHES; seq++) {
    const items = Array.from({ length: BATCH }, (_, i) => noticeItem(`${seq}/${i}`));
    await ledger.submit(batchOf(officer, seq, items));
  }
  await ledger.close();
}

/** Three parts, of which the last has one table in the buckets. */
beforeAll(async () => {
  whole = await mkdtemp(join(tmpdir(), 'firebreak-fsck-'));
  await append(whole, 0);
  return () => rm(whole, { recursive: true, force: true });
});

describe('fsck finds in the parts of the payload index', () => {
  test('nothing, when they are right', async () => {
    expect(foundIn(await checkFolder(whole))).toEqual([]);
  });

  test('nothing in an older folder, nor when newer parts follow', async () => {
    const dir = await temporaryFolder();
    await cp(whole, dir, { recursive: true });
    await onStore(dir, asOlderFolder);
    expect((await checkFolder(dir)).findings.damageCount).toBe(0);
    await append(dir, BATCHES);
    expect((await checkFolder(dir)).findings.damageCount).toBe(0);
  });

  test('every bit that is not as it was', async () => {
    const random = seeded(20_261_123);
    const reach = Array.from({ length: 10 }, (_, i) => FILTER_BYTES + i);
    const places = [
      ...reach,
      ...Array.from({ length: 3 }, () => FILTER_BYTES + 10 + Math.floor(random() * 4 * 4096)),
      ...Array.from({ length: 3 }, () => Math.floor(random() * FILTER_BYTES)),
    ];
    for (const at of places) {
      const bit = 1 << Math.floor(random() * 8);
      const found = await foundInCopy(
        (db) =>
          change(db, filterKey(Math.floor(random() * 2)), (value) => {
            value[at] = (value[at] ?? 0) ^ bit;
            return value;
          }),
        whole,
      );
      expect(found.every((line) => line.startsWith('damage payload index'))).toBe(true);
    }
  });

  test('a row that is missing, or cut short', async () => {
    const first = await foundInCopy((db) => db.del(filterKey(0)), whole);
    expect(first).toContain('damage payload index a filter of it is missing');
    const last = await foundInCopy((db) => db.del(filterKey(2)), whole);
    expect(last).toContain('damage payload index its last filter is missing');
    const cut = await foundInCopy(
      (db) => change(db, filterKey(1), (value) => value.subarray(0, FILTER_BYTES)),
      whole,
    );
    expect(cut).toContain('damage payload index filter 1 of the payload index is cut short');
  });
});
