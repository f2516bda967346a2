/**
 * The payload index (payload-index.ts): every payload it should know, at its first entry, and nothing else;
 * filters that deny none of them, and books that lead to all of them.
 */
import { asBuffer, equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { FILTER_BYTES, HASHES_A_FILTER, PayloadFilter } from '../store/payload-filter.js';
import {
  BUCKET_RECORD_BYTES,
  decodeBooks,
  readBucketRecord,
  RECORDS_A_VALUE,
} from '../store/payload-index.js';
import { bucketOf, BUCKETS, NAME_BYTES } from '../store/payload-table.js';
import { INDEX_BOOKS_KEY } from '../store/store-keys.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import { eachRow, type Step } from './pace.js';
import type { RowView } from './row-view.js';

export interface IndexCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Payloads of the entries before this one must be in the index; the ledger adds the others when it starts. */
  readonly indexedTo: number;
  readonly pace: Step;
}

interface Books {
  readonly filter: PayloadFilter;
  /** Number of the last value of each bucket that the ledger looks into; -1 for none. */
  readonly tails: Int32Array;
}

/** Filters and books; `undefined` when there are none that can be used, which is found. */
function readBooks({ rows, findings, indexedTo }: IndexCheckInput): Books | undefined {
  const damage = (what: string): void => findings.damage('payload index', what);
  const row = rows.get(INDEX_BOOKS_KEY);
  if (row === undefined) {
    if (indexedTo > 0) damage('its books are missing');
    return undefined;
  }
  try {
    const { count, tails } = decodeBooks(row);
    const filters = [...rows.ofKind('i')];
    const areWhole = filters.every(
      ({ key, value }, i) => Buffer.from(key).readUInt32BE(1) === i && value.length === FILTER_BYTES,
    );
    if (!areWhole || filters.length !== Math.ceil(count / HASHES_A_FILTER))
      damage('its filters are not those that its books name');
    const values = filters.map(({ value }) => value);
    return areWhole ? { filter: new PayloadFilter(values, count), tails } : undefined;
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    damage(error.message);
    return undefined;
  }
}

class IndexCheck {
  readonly #input: IndexCheckInput;
  readonly #books: Books | undefined;
  readonly #lastNumbers = new Int32Array(BUCKETS).fill(-1);
  #lastBucket = -1;
  #lastIndex = -1;
  #lastWasFull = true;

  constructor(input: IndexCheckInput) {
    this.#input = input;
    this.#books = readBooks(input);
  }

  addRow({ key, value }: LiveRow): void {
    const bytes = asBuffer(value);
    const bucket = (key[1] as number) * 256 + (key[2] as number);
    const number = Buffer.from(key).readUInt32BE(3);
    if (bucket >= BUCKETS) return this.#damage(`there is no bucket ${bucket}, and a value of it`);
    this.#checkPlace(bucket, number, bytes.length);
    const reach = this.#books?.tails[bucket] ?? number;
    for (let at = 0; at + BUCKET_RECORD_BYTES <= bytes.length; at += BUCKET_RECORD_BYTES)
      this.#addRecord(bytes, at, bucket, number <= reach);
  }

  finish(): void {
    const { columns, indexedTo } = this.#input;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if ((this.#books?.tails[bucket] ?? -1) > (this.#lastNumbers[bucket] as number))
        this.#damage(`its books name a value of bucket ${bucket} that is missing`);
    }
    for (let index = 0; index < Math.min(columns.size, indexedTo); index++) {
      if (!columns.has(index, MARK.known | MARK.first)) continue;
      if (!columns.has(index, MARK.indexed)) this.#damage('is not in the payload index', index);
      else if (this.#books?.filter.mayHave(columns.hashOf(index)) === false)
        this.#damage('has a payload that the filters of the payload index deny', index);
    }
  }

  #damage(what: string, index?: number): void {
    this.#input.findings.damage('payload index', what, index === undefined ? {} : { index });
  }

  #checkPlace(bucket: number, number: number, length: number): void {
    const isSame = bucket === this.#lastBucket;
    if (!isSame) this.#lastIndex = -1;
    const follows = number === (this.#lastNumbers[bucket] as number) + 1 && (!isSame || this.#lastWasFull);
    const records = length / BUCKET_RECORD_BYTES;
    if (!follows || !Number.isInteger(records) || records === 0 || records > RECORDS_A_VALUE)
      this.#damage(`value ${number} of bucket ${bucket} is not as it should be`);
    this.#lastBucket = bucket;
    this.#lastNumbers[bucket] = number;
    this.#lastWasFull = records === RECORDS_A_VALUE;
  }

  /** `reached`: the ledger looks into the value that holds the record. */
  #addRecord(value: Buffer, at: number, bucket: number, reached: boolean): void {
    const { columns } = this.#input;
    const name = value.subarray(at, at + NAME_BYTES);
    const { index, type, day } = readBucketRecord(value, at);
    if (index >= columns.size)
      return this.#damage('is in the payload index and not in the signed log', index);
    if (index <= this.#lastIndex || bucketOf(name) !== bucket)
      this.#damage('is in the wrong place of the payload index', index);
    this.#lastIndex = index;
    if (!columns.has(index, MARK.known)) return;
    if (!equalBytes(name, columns.hashOf(index).subarray(0, NAME_BYTES)))
      return this.#damage('stands in the payload index with another payload than its own', index);
    if (!columns.has(index, MARK.first)) {
      const first = columns.firstWith(columns.hashOf(index));
      return this.#damage(`stands in the payload index instead of entry ${first}`, index);
    }
    if (type !== columns.types[index] || day !== columns.retentionDays[index])
      this.#damage(`stands in the payload index as of type ${type} and day ${day}`, index);
    if (columns.has(index, MARK.indexed)) this.#damage('stands in the payload index twice', index);
    if (reached) columns.mark(index, MARK.indexed);
  }
}

/** Reads the whole index once. */
export async function checkPayloadIndex(input: IndexCheckInput): Promise<void> {
  const check = new IndexCheck(input);
  await eachRow(input.rows.ofKind('h'), input.pace, (row) => check.addRow(row));
  check.finish();
}
