/** The same short life of a ledger each time, through everything its store does: what the fault pairs run through. */
import { openLedger, type Ledger, type LedgerDeps } from '../../../ledger/ledger.js';
import { FirebreakError } from '../../../protocol/errors.js';
import { batchOf, ledgerDeps, noticeItem, officer } from '../deployment.js';
import type { FaultyDisk } from './faulty-disk.js';

/** Small enough for both to turn once and more in a run. */
const JOURNAL_TURN_BYTES = 20 * 1024;
const INDEX_TABLE_RECORDS = 150;
const INDEX_FILTER_HASHES = 300;
const AT_ONCE = 3;

export interface ScriptedBatch {
  readonly bytes: Uint8Array;
  readonly items: number;
}

/** Of 1 to 30 entries, all payloads different. */
export const BATCHES: readonly ScriptedBatch[] = Array.from({ length: 30 }, (_, seq) => {
  const items = Array.from({ length: 1 + ((seq * 11) % 30) }, (_, i) => noticeItem(`${seq}/${i}`));
  return { bytes: batchOf(officer, seq, items), items: items.length };
});

export const tuned = (dir: string, disk?: FaultyDisk): LedgerDeps =>
  ledgerDeps(dir, {
    storeTuning: {
      journalTurnBytes: JOURNAL_TURN_BYTES,
      indexTableRecords: INDEX_TABLE_RECORDS,
      indexFilterHashes: INDEX_FILTER_HASHES,
      ...(disk && { disk }),
    },
  });

export interface RunResult {
  /** Receipts of the batches that were acknowledged, by number. */
  readonly receipts: ReadonlyMap<number, Uint8Array>;
  /** What went wrong, in order: opening, batches, closing. */
  readonly errors: readonly unknown[];
  /** What the ledger said of itself before it was closed; `undefined` when it did not open. */
  readonly failure: string | undefined;
}

async function submitAll(ledger: Ledger, from: number, to: number, result: Appended): Promise<void> {
  for (let first = from; first < to; first += AT_ONCE) {
    const some = BATCHES.slice(first, Math.min(first + AT_ONCE, to));
    const answers = await Promise.allSettled(some.map(({ bytes }) => ledger.submit(bytes)));
    answers.forEach((answer, i) => {
      if (answer.status === 'fulfilled') result.receipts.set(first + i, answer.value);
      else result.errors.push(answer.reason);
    });
  }
}

interface Appended {
  readonly receipts: Map<number, Uint8Array>;
  readonly errors: unknown[];
}

/** Opens the ledger in `dir`, submits batches [from, to), closes it. Rejects never. */
export async function run(dir: string, disk: FaultyDisk, from: number, to: number): Promise<RunResult> {
  const result: Appended = { receipts: new Map(), errors: [] };
  let ledger: Ledger;
  try {
    ledger = await openLedger(tuned(dir, disk));
  } catch (error) {
    return { ...result, errors: [error], failure: undefined };
  }
  await submitAll(ledger, from, to, result);
  const { failure } = ledger.status();
  await ledger.close().catch((error: unknown) => void result.errors.push(error));
  return { ...result, failure };
}

export const codeOf = (error: unknown): string =>
  error instanceof FirebreakError ? error.code : String(error);
