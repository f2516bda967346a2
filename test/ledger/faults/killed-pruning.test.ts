/** The ledger's folder as it is before each call to the disk while a day is pruned: what a kill there leaves behind. */
import { cpSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { fsckLedger } from '../../../ledger/fsck/fsck.js';
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
import { sha256 } from '../../../protocol/crypto/hash.js';
import {
  batchOf,
  certificateItem,
  destroyedItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  pruningItem,
  reportItem,
  standingClock,
  temporaryFolder,
} from '../deployment.js';
import { DAY, gateway, laterMs, RETENTION_DAYS, stage } from '../pruning-stage.js';

/** The real disk; `onCall` comes before whatever changes a file. (What is written is there after a kill, synced or not.) */
const watchedDisk = (onCall: () => void): Disk => ({
  ...NODE_DISK,
  write: (...args) => (onCall(), NODE_DISK.write(...args)),
  writeAsync: (...args) => (onCall(), NODE_DISK.writeAsync(...args)),
  unlink: (...args) => (onCall(), NODE_DISK.unlink(...args)),
  truncate: (...args) => (onCall(), NODE_DISK.truncate(...args)),
});

const removed = (ledger: Ledger) => expect.poll(() => ledger.status().daysToRemove, { interval: 2 }).toBe(0);

async function requireUndamaged(dir: string): Promise<void> {
  const { findings } = await fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey });
  expect(findings.kept.filter(({ kind }) => kind === 'damage')).toEqual([]);
}

const holds = (dir: string, bytes: Uint8Array): boolean =>
  readdirSync(dir, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .some((entry) => readFileSync(join(entry.parentPath, entry.name)).includes(Buffer.from(bytes)));

test('killed anywhere while a day is pruned, a ledger ends the pruning and loses nothing of other days', async () => {
  const snapshots: string[] = [];
  const [dir, copies] = [await temporaryFolder(), await temporaryFolder()];
  let isWatched = false;
  const copy = (): void => {
    if (!isWatched) return;
    const to = join(copies, `${snapshots.length}`);
    cpSync(dir, to, { recursive: true });
    snapshots.push(to);
  };
  const storeTuning = { disk: watchedDisk(copy), journalTurnBytes: 8 * 1024, indexTableRecords: 20 };
  const { ledger, clock, say } = await stage(dir, { storeTuning });
  const pruned = Array.from({ length: 24 }, () => reportItem(gateway));
  const kept = [reportItem(gateway, laterMs(1)), noticeItem('kept')] as const;
  await say(issuer, certificateItem(gateway));
  for (let k = 0; k < pruned.length; k += 6) await say(gateway, ...pruned.slice(k, k + 6));
  clock.passTo(laterMs(1));
  await say(gateway, kept[0]);
  await say(officer, kept[1]);
  clock.passTo(laterMs(RETENTION_DAYS + 1));
  await say(issuer, destroyedItem(DAY));
  isWatched = true;
  await say(issuer, pruningItem(DAY));
  await removed(ledger);
  copy();
  isWatched = false;
  await ledger.close();
  expect(snapshots.length).toBeGreaterThan(5);
  let ended = 0;
  for (const snapshot of snapshots) ended += Number(await goesOnFrom(snapshot));
  expect(ended).toBeGreaterThan(0); // some were killed with the entry on disk, and some before
  expect(ended).toBeLessThan(snapshots.length);

  /** Tells whether the day is pruned in it. */
  async function goesOnFrom(snapshot: string): Promise<boolean> {
    await requireUndamaged(snapshot);
    const again = await openLedger(
      ledgerDeps(snapshot, { clock: standingClock(laterMs(RETENTION_DAYS + 1)) }),
    );
    await removed(again);
    await again.submit(batchOf(officer, 1000, [noticeItem('after')]));
    const isPruned = again.days().some(({ day, pruned: end }) => day === DAY && end !== undefined);
    const found = await again.reader().payloads([...pruned, ...kept].map(({ payload }) => sha256(payload)));
    await again.close();
    const there = found.map((one) => one instanceof Uint8Array);
    expect(there).toEqual([...pruned.map(() => !isPruned), true, true]);
    if (isPruned)
      for (const { payload } of pruned) expect(holds(snapshot, payload.subarray(200, 240))).toBe(false);
    await requireUndamaged(snapshot);
    return isPruned;
  }
});
