/** A day is pruned, and one call to the disk fails meanwhile: nothing else is lost, and the day is gone in the end. */
import { cp, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { fsckLedger } from '../../../ledger/fsck/fsck.js';
import { openLedger, type Ledger } from '../../../ledger/ledger.js';
import {
  batchOf,
  destroyedItem,
  issuer,
  ledgerDeps,
  logSigner,
  noticeItem,
  officer,
  pruningItem,
  standingClock,
} from '../deployment.js';
import { DAY, grown, laterMs, RETENTION_DAYS } from '../pruning-stage.js';
import { memoryFolder } from './fault-sweep.js';
import { faultsOf, FaultyDisk, type Fault } from './faulty-disk.js';

/** One by one: the pruning, and commits beside the removal that follows it. */
const BATCHES = [
  batchOf(issuer, 100, [destroyedItem(DAY), pruningItem(DAY)]),
  ...[101, 102, 103].map((seq) => batchOf(officer, seq, [noticeItem(`${seq}`)])),
];
/** Lives under way at once: they mostly wait for timers. */
const AT_ONCE = 4;

let folder = '';
/** A closed ledger's, with the reports of the day. */
let template = '';
let sizeBefore = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(memoryFolder(), 'firebreak-pruning-'));
  template = join(folder, 'template');
  const { ledger, say } = await grown(template);
  await say(officer, noticeItem('when the day is over'));
  sizeBefore = ledger.status().size;
  await ledger.close();
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const opened = (dir: string, disk?: FaultyDisk) => {
  const clock = standingClock(laterMs(RETENTION_DAYS + 1));
  return openLedger(ledgerDeps(dir, { clock, ...(disk && { storeTuning: { disk } }) }));
};

/** Prunes with `fault`. Gives the receipts, and the calls to the disk; `first` of them with the ledger open. */
async function prune(dir: string, fault?: Fault) {
  const disk = new FaultyDisk(fault);
  const receipts: Uint8Array[] = [];
  let first = 0;
  try {
    const ledger = await opened(dir, disk);
    first = disk.calls.length;
    await pruneIn(ledger, receipts).finally(() => ledger.close());
  } catch {
    // the ledger stopped: what was not answered is sent again
  } finally {
    await disk.endProcess();
  }
  return { receipts, calls: disk.calls, first };
}

async function pruneIn(ledger: Ledger, receipts: Uint8Array[]): Promise<void> {
  for (const batch of BATCHES) receipts.push(await ledger.submit(batch));
  const isOver = () => {
    const { daysToRemove, removalFailure } = ledger.status();
    return daysToRemove === 0 || removalFailure !== undefined;
  };
  await expect.poll(isOver, { interval: 2 }).toBe(true);
}

/** What is wrong with the folder afterwards. */
async function wrongAfter(dir: string, receipts: readonly Uint8Array[]): Promise<string[]> {
  const wrong: string[] = [];
  const ledger = await opened(dir);
  for (const [i, batch] of BATCHES.entries()) {
    const again = await ledger.submit(batch);
    if (receipts[i] && !Buffer.from(again).equals(receipts[i]))
      wrong.push(`batch ${i} has another receipt now`);
  }
  await expect.poll(() => ledger.status().daysToRemove, { interval: 2 }).toBe(0);
  const { size } = ledger.status();
  if (size !== sizeBefore + 5) wrong.push(`${size} entries, not ${sizeBefore + 5}`);
  await ledger.close();
  const { findings } = await fsckLedger({ dir, verifier: logSigner, issuerPublicKey: issuer.publicKey });
  return [
    ...wrong,
    ...findings.kept.filter(({ kind }) => kind === 'damage').map((one) => JSON.stringify(one)),
  ];
}

async function faulted(fault: Fault) {
  const dir = await mkdtemp(join(folder, 'life-'));
  try {
    await cp(template, dir, { recursive: true });
    const { receipts, calls } = await prune(dir, fault);
    const wrong = await wrongAfter(dir, receipts).catch((error: unknown) => [String(error)]);
    return { fault, call: calls[fault.call], wrong };
  } finally {
    await rm(dir, { recursive: true, force: true });
  }
}

/** The first call of each kind, and each write to the head file: with it a commit fails while the day is removed. */
const isChosen = (calls: readonly string[], call: number, first: number): boolean =>
  call >= first && (calls[call] === 'write head' || calls.indexOf(calls[call] as string, first) === call);

test('a call to the disk that fails while a day is pruned loses nothing acknowledged, and the day is gone in the end', async () => {
  const dir = join(folder, 'healthy');
  await cp(template, dir, { recursive: true });
  const { receipts, calls, first } = await prune(dir);
  expect(receipts).toHaveLength(BATCHES.length);
  expect(await wrongAfter(dir, receipts)).toEqual([]);
  expect(calls).toEqual(expect.arrayContaining(['level clear', 'level put', 'write NNN', 'unlink']));
  const faults = faultsOf(calls).filter(({ call }) => isChosen(calls, call, first));
  const outcomes: Awaited<ReturnType<typeof faulted>>[] = [];
  const lane = async (): Promise<void> => {
    for (let fault = faults.shift(); fault; fault = faults.shift()) outcomes.push(await faulted(fault));
  };
  await Promise.all(Array.from({ length: AT_ONCE }, lane));
  expect(outcomes.filter(({ wrong }) => wrong.length > 0)).toEqual([]);
});
