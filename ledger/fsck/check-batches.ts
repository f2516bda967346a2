/**
 * Batch rows: what each says it was answered with is so in the log, every entry was answered to the batch it
 * came in, and the checkpoint of every answer was one of this log.
 */
import { equalBytes, toHex } from '../../protocol/bytes.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { FirebreakError, refusalOf } from '../../protocol/errors.js';
import type { Outcome } from '../../protocol/mqtt/ledger-receipt.js';
import { indexOfKey } from '../store/store-keys.js';
import { decodeBatchRow } from '../store/store-rows.js';
import type { BatchRecord } from '../store/store.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import { eachRow, type Step } from './pace.js';
import type { RootBook } from './root-book.js';
import type { RowView } from './row-view.js';

/**
 * Types that may be answered with an entry of another batch: reports (protocol.md §8), and what was said of a
 * day before.
 */
const REPEATABLE: ReadonlySet<number> = new Set([
  ENTRY_TYPE.tagReport,
  ENTRY_TYPE.presenceReport,
  ENTRY_TYPE.dayKey,
  ENTRY_TYPE.pruning,
]);

const WRITER_AT = 1;
const SEQ_AT = 17;
const BATCHES = { gte: Buffer.from('b'), lt: Buffer.from('c') } as const;

function decode({ key, value }: LiveRow): BatchRecord {
  return decodeBatchRow(value, key.subarray(WRITER_AT, SEQ_AT), indexOfKey(key));
}

/** Asks for the roots that batch rows name; to be called before the entries are read. */
export async function wantBatchRoots(rows: RowView, roots: RootBook, pace: Step): Promise<void> {
  await eachRow(rows.range(BATCHES), pace, (row) => {
    try {
      roots.want(decode(row).size);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error; // found again, and said, when the row is checked
    }
  });
}

export interface BatchCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  readonly columns: EntryColumns;
  readonly roots: RootBook;
  readonly pace: Step;
}

/** Counted from the rows; each counter of the ledger can be (store.ts). */
export interface BatchSummary {
  readonly batches: number;
  readonly duplicates: number;
  readonly refusalsByNumber: ReadonlyMap<number, number>;
  /** Every row could be read. */
  readonly complete: boolean;
}

class BatchCheck {
  readonly #input: BatchCheckInput;
  readonly #refusals = new Map<number, number>();
  #batches = 0;
  #duplicates = 0;
  #complete = true;

  constructor(input: BatchCheckInput) {
    this.#input = input;
  }

  addRow(row: LiveRow): void {
    const name = `batch ${indexOfKey(row.key)} of writer ${toHex(row.key.subarray(WRITER_AT, SEQ_AT))}`;
    this.#batches += 1;
    try {
      this.#check(decode(row), name);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      this.#complete = false;
      this.#input.findings.damage('batches', `the row of ${name} cannot be read: ${error.message}`);
    }
  }

  finish(): BatchSummary {
    const { columns, findings } = this.#input;
    for (let index = 0; index < columns.size; index++) {
      if (columns.has(index, MARK.known) && !columns.has(index, MARK.named))
        findings.damage('batches', 'is in the log, and no batch was answered with it', { index });
    }
    return {
      batches: this.#batches,
      duplicates: this.#duplicates,
      refusalsByNumber: this.#refusals,
      complete: this.#complete,
    };
  }

  #check(record: BatchRecord, name: string): void {
    const { roots, columns, findings } = this.#input;
    const { size, root, outcomes } = record;
    if (size > columns.size)
      findings.damage(
        'batches',
        `and those behind it are lost, and ${name} was answered for ${size} entries`,
        {
          index: columns.size,
        },
      );
    const known = roots.rootAt(size);
    if (known !== undefined && !equalBytes(known, root))
      findings.damage(
        'batches',
        `${name} was answered with a root that the log of ${size} entries never had`,
      );
    if (outcomes.length === 0) findings.damage('batches', `${name} was answered with nothing`);
    const writer = columns.writerNumber(record.writerId);
    for (const outcome of outcomes) this.#checkOutcome(outcome, record, { name, writer });
  }

  #checkOutcome(
    { reason, index }: Outcome,
    { size, seq }: BatchRecord,
    { name, writer }: { readonly name: string; readonly writer: number },
  ): void {
    const { columns, findings } = this.#input;
    if (index === null || reason > 0) {
      this.#countRefusal(reason, index, name);
      return;
    }
    const damage = (what: string): void => findings.damage('batches', what, { index });
    if (index >= size) return damage(`is named in the answer to ${name}, which is of ${size} entries`);
    if (!columns.has(index, MARK.known)) return;
    const isOwn = columns.cameFrom(index, writer, seq);
    const isAgain = !isOwn || columns.has(index, MARK.named);
    if (isOwn) columns.mark(index, MARK.named);
    if (!isAgain) return;
    this.#duplicates += 1;
    if (!REPEATABLE.has(columns.types[index] ?? 0))
      damage(`is named in the answer to ${name}, and came in another batch`);
  }

  #countRefusal(reason: number, index: number | null, name: string): void {
    if (reason > 0) this.#refusals.set(reason, (this.#refusals.get(reason) ?? 0) + 1);
    refusalOf(reason); // throws for a number that nobody gives
    if (reason > 0 !== (index === null))
      this.#input.findings.damage('batches', `${name} has an answer that contradicts itself`);
  }
}

/** Reads all batch rows once. */
export async function checkBatches(input: BatchCheckInput): Promise<BatchSummary> {
  const check = new BatchCheck(input);
  await eachRow(input.rows.ofKind('b'), input.pace, (row) => check.addRow(row));
  return check.finish();
}
