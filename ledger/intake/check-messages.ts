/**
 * What goes between the ledger and the threads that check its batches: a batch and what is known of its
 * writer one way, the verdict the other. Payloads do not travel back: both sides have the batch, and a
 * verdict says where they lie in it.
 */
import { asUnixMs } from '../../protocol/brands.js';
import { FirebreakError, refusalNumber, refusalOf, type ErrorCode } from '../../protocol/errors.js';
import type { AdmissionContext } from '../admission/item.js';
import type { Writer } from '../admission/writer.js';
import type { CheckedBatch, CheckedItem, RefusedBatch } from '../sequence/checked-batch.js';

type Statement = NonNullable<CheckedItem['statement']>;

/** What a thread is started with. */
export type CheckSettings = Omit<AdmissionContext, 'directory'>;

export interface CheckRequest {
  /** All of its buffer, which goes over to the thread. */
  readonly bytes: Uint8Array;
  readonly from: Uint8Array | undefined;
  /** Of the writer the batch names, as of the last commit. */
  readonly writer: Writer | undefined;
}

export type CheckVerdict =
  | { readonly kind: 'refused'; readonly batch: RefusedBatch }
  | {
      readonly kind: 'checked';
      readonly batch: Omit<CheckedBatch, 'items'>;
      /** {@link COLUMNS} numbers for each item. */
      readonly rows: Float64Array;
      /** 32 bytes for each item. */
      readonly hashes: Uint8Array;
      /** By item; few have one. */
      readonly statements: ReadonlyMap<number, Statement>;
    }
  | { readonly kind: 'threw'; readonly code: ErrorCode | undefined; readonly message: string };

/** type, timeMs, where the payload lies in the batch and its length, refusal number, retentionDay. */
const COLUMNS = 6;
const HASH_BYTES = 32;

/** What `batch`, checked from `bytes`, is told as; payloads must be views of `bytes`. */
export function verdictOf(batch: CheckedBatch, bytes: Uint8Array): CheckVerdict {
  const { items, ...head } = batch;
  const rows = new Float64Array(items.length * COLUMNS);
  const hashes = new Uint8Array(items.length * HASH_BYTES);
  const statements = new Map<number, Statement>();
  items.forEach((item, i) => {
    const refusal = item.refusal === undefined ? 0 : refusalNumber(item.refusal);
    const at = item.payload.byteOffset - bytes.byteOffset;
    rows.set([item.type, item.timeMs, at, item.payload.length, refusal, item.retentionDay], i * COLUMNS);
    hashes.set(item.payloadSha256, i * HASH_BYTES);
    if (item.statement !== undefined) statements.set(i, item.statement);
  });
  return { kind: 'checked', batch: head, rows, hashes, statements };
}

/** The verdict on the batch in `bytes`, of which payloads become views. Throws what the check threw. */
export function batchOf(verdict: CheckVerdict, bytes: Uint8Array): CheckedBatch | RefusedBatch {
  if (verdict.kind === 'refused') return verdict.batch;
  if (verdict.kind === 'checked') {
    const count = verdict.rows.length / COLUMNS;
    return { ...verdict.batch, items: Array.from({ length: count }, (_, i) => itemOf(verdict, i, bytes)) };
  }
  const { code, message } = verdict;
  throw code === undefined ? new Error(message) : new FirebreakError(code, message);
}

type Checked = Extract<CheckVerdict, { readonly kind: 'checked' }>;

function itemOf({ rows, hashes, statements }: Checked, i: number, bytes: Uint8Array): CheckedItem {
  const [type = 0, timeMs = 0, at = 0, length = 0, refusal = 0, retentionDay = 0] = rows.subarray(
    i * COLUMNS,
    (i + 1) * COLUMNS,
  );
  return {
    type,
    timeMs: asUnixMs(timeMs),
    payload: new Uint8Array(bytes.buffer, bytes.byteOffset + at, length),
    payloadSha256: hashes.subarray(i * HASH_BYTES, (i + 1) * HASH_BYTES),
    refusal: refusalOf(refusal),
    retentionDay,
    statement: statements.get(i),
  };
}
