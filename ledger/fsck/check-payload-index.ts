/** The payload index (payload-index.ts): every payload it should know, at its first entry, and nothing else. */
import { equalBytes } from '../../protocol/bytes.js';
import { BUCKET_RECORD_BYTES, readBucketRecord, RECORDS_A_VALUE } from '../payload-index.js';
import { bucketOf, NAME_BYTES } from '../payload-table.js';
import { bucketOfKey } from '../store-keys.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import type { RowView } from './row-view.js';

export interface IndexCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Payloads of the entries before this one must be in the index; the ledger adds the others when it starts. */
  readonly indexedTo: number;
  readonly pace: (done: number, size: number) => Promise<void> | undefined;
}

class IndexCheck {
  readonly #input: IndexCheckInput;
  #bucket = -1;
  #number = -1;
  #lastIndex = -1;
  #lastWasFull = true;

  constructor(input: IndexCheckInput) {
    this.#input = input;
  }

  addRow({ key, value }: LiveRow): void {
    const { bucket, number } = bucketOfKey(key);
    const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
    this.#checkPlace(bucket, number, bytes.length);
    for (let at = 0; at + BUCKET_RECORD_BYTES <= bytes.length; at += BUCKET_RECORD_BYTES)
      this.#addRecord(bytes, at, bucket);
  }

  finish(): void {
    const { columns, findings, indexedTo } = this.#input;
    for (let index = 0; index < Math.min(columns.size, indexedTo); index++) {
      if (columns.has(index, MARK.known | MARK.first) && !columns.has(index, MARK.indexed))
        findings.damage('payload index', 'is not in the payload index', { index });
    }
  }

  #checkPlace(bucket: number, number: number, length: number): void {
    const isSame = bucket === this.#bucket;
    if (!isSame) this.#lastIndex = -1;
    const follows = number === (isSame ? this.#number + 1 : 0) && (!isSame || this.#lastWasFull);
    const isWhole = length % BUCKET_RECORD_BYTES === 0 && length > 0;
    const records = length / BUCKET_RECORD_BYTES;
    if (!follows || !isWhole || records > RECORDS_A_VALUE)
      this.#input.findings.damage(
        'payload index',
        `value ${number} of bucket ${bucket} is not as it should be`,
      );
    this.#bucket = bucket;
    this.#number = number;
    this.#lastWasFull = records === RECORDS_A_VALUE;
  }

  #addRecord(value: Buffer, at: number, bucket: number): void {
    const { columns, findings } = this.#input;
    const name = value.subarray(at, at + NAME_BYTES);
    const { index, type, day } = readBucketRecord(value, at);
    const damage = (what: string): void => findings.damage('payload index', what, { index });
    if (index >= columns.size) return damage('is in the payload index and not in the signed log');
    if (index <= this.#lastIndex || bucketOf(name) !== bucket)
      damage('is in the wrong place of the payload index');
    this.#lastIndex = index;
    if (!columns.has(index, MARK.known)) return;
    const isRight = equalBytes(name, columns.hashOf(index).subarray(0, NAME_BYTES));
    if (!isRight) return damage('stands in the payload index with another payload than its own');
    if (!columns.has(index, MARK.first))
      return damage(
        `stands in the payload index instead of entry ${columns.firstWith(columns.hashOf(index))}`,
      );
    if (type !== columns.types[index]) damage(`stands in the payload index as of type ${type}`);
    if (day !== columns.retentionDays[index]) damage(`stands in the payload index under day ${day}`);
    if (columns.has(index, MARK.indexed)) damage('stands in the payload index twice');
    columns.mark(index, MARK.indexed);
  }
}

/** Reads the whole index once. */
export async function checkPayloadIndex(input: IndexCheckInput): Promise<void> {
  const check = new IndexCheck(input);
  let done = 0;
  for (const row of input.rows.ofKind('h')) {
    check.addRow(row);
    done += 1;
    await input.pace(done, Infinity);
  }
  check.finish();
}
