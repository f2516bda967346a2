import { expect, test } from 'vitest';
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import { decodeEntry } from '../../../protocol/tlog/entry.js';
import { entriesOf } from '../../../protocol/tlog/tile.js';
import {
  batchOf,
  ledgerDeps,
  noticeItem,
  NOW_MS,
  officer,
  standingClock,
  temporaryFolder,
} from '../deployment.js';
import { requireSound } from './sound.js';

const HOUR_MS = 3_600_000;
/** Where the clock stands for each batch; a ledger is opened anew before every third. */
const CLOCK_HOURS = [0, 1, -5, -4.9, 2, -30, 2.5, 2.4, -0.1, -1000, 3, 3];

async function appendedAt(ledger: Ledger): Promise<number[]> {
  const { size } = ledger.status();
  const bundle = await ledger.reader().entryBundle(0, size);
  return entriesOf(bundle, size).map((entry) => decodeEntry(entry).appendedAtMs);
}

test('a clock that steps back by hours, while the ledger runs and while it does not, moves no entry back', async () => {
  const dir = await temporaryFolder();
  const clock = standingClock();
  const receipts: Uint8Array[] = [];
  const batchOfSeq = (seq: number) => batchOf(officer, seq, [noticeItem(`${seq}`)]);
  let ledger = await openLedger(ledgerDeps(dir, { clock }));
  for (const [seq, hours] of CLOCK_HOURS.entries()) {
    clock.set(NOW_MS + hours * HOUR_MS);
    if (seq % 3 === 2) {
      await ledger.close();
      ledger = await openLedger(ledgerDeps(dir, { clock }));
    }
    receipts.push(await ledger.submit(batchOfSeq(seq)));
  }
  const latest = CLOCK_HOURS.map((_, i) => NOW_MS + Math.max(...CLOCK_HOURS.slice(0, i + 1)) * HOUR_MS);
  expect(await appendedAt(ledger)).toEqual(latest);
  for (const [seq, receipt] of receipts.entries())
    expect(Buffer.from(await ledger.submit(batchOfSeq(seq)))).toEqual(Buffer.from(receipt));
  expect(ledger.status().lastAppendedMs).toBe(NOW_MS + 3 * HOUR_MS);
  await ledger.close();
  await requireSound(dir);
});
