/** A ledger whose days end: reports of two days, and a clock that has left the first of them behind. */
import { openLedger } from '../../ledger/ledger.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import {
  batchOf,
  certificateItem,
  issuer,
  ledgerDeps,
  noticeItem,
  NOW_MS,
  officer,
  openReceipt,
  reportItem,
  signerOf,
  standingClock,
} from './deployment.js';

const DAY_MS = 86_400_000;
export const RETENTION_DAYS = 21;
export const DAY = dayOf(NOW_MS / 1000);
export const gateway = signerOf('gateway one');
export const laterMs = (days: number) => asUnixMs(NOW_MS + days * DAY_MS);

/** A ledger on a clock of its own; `say` submits and gives the outcomes. */
export async function stage(dir: string, changes = {}) {
  const clock = standingClock();
  const ledger = await openLedger(ledgerDeps(dir, { clock, ...changes }));
  let seq = 0;
  const say = async (writer: typeof issuer, ...items: BatchItem[]) => {
    const batch = batchOf(writer, (seq += 1), items);
    return openReceipt(await ledger.submit(batch), batch).outcomes.map(
      ({ reason, index }) => index ?? -reason,
    );
  };
  return { ledger, clock, say };
}

/** Two days of reports, and what the log says when the first of them has left the window. */
export async function grown(dir: string, changes = {}) {
  const first = Array.from({ length: 40 }, () => reportItem(gateway));
  const second = Array.from({ length: 3 }, () => reportItem(gateway, laterMs(1)));
  const { ledger, clock, say } = await stage(dir, changes);
  await say(issuer, certificateItem(gateway));
  await say(gateway, ...first);
  await say(officer, noticeItem('kept'));
  clock.passTo(laterMs(1));
  await say(gateway, ...second);
  const checkpoint = await ledger.reader().checkpoint();
  clock.passTo(laterMs(RETENTION_DAYS + 1));
  return { ledger, clock, say, first, second, checkpoint };
}
