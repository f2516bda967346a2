/**
 * The payload index (payload-index.ts): every payload it should know, at its first entry, and nothing else; its parts
 * (check-index-parts.ts) lead to all of them.
 */
import { asBuffer, equalBytes } from '../../protocol/bytes.js';
import { BUCKET_RECORD_BYTES, readBucketRecord, RECORDS_A_VALUE } from '../store/payload-buckets.js';
import { valuesOf } from '../store/payload-parts.js';
import { bucketOf, BUCKETS, NAME_BYTES } from '../store/payload-table.js';
import { checkParts, readParts, type IndexCheckInput, type StoredParts } from './check-index-parts.js';
import { MARK } from './entry-columns.js';
import type { LiveRow } from './leveldb-rows.js';
import { eachRow } from './pace.js';

class IndexCheck {
  readonly #input: IndexCheckInput;
  readonly #stored: StoredParts | undefined;
  readonly #lastNumbers = new Int32Array(BUCKETS).fill(-1);
  #lastBucket = -1;
  #lastIndex = -1;
  #lastWasFull = true;

  constructor(input: IndexCheckInput, stored: StoredParts | undefined) {
    this.#input = input;
    this.#stored = stored;
  }

  addRow({ key, value }: LiveRow): void {
    const bytes = asBuffer(value);
    const bucket = (key[1] as number) * 256 + (key[2] as number);
    const number = Buffer.from(key).readUInt32BE(3);
    if (bucket >= BUCKETS) return this.#damage(`there is no bucket ${bucket}, and a value of it`);
    this.#checkPlace(bucket, number, bytes.length);
    const reached = this.#reaches(bucket, number);
    for (let at = 0; at + BUCKET_RECORD_BYTES <= bytes.length; at += BUCKET_RECORD_BYTES)
      this.#addRecord(bytes, at, bucket, reached);
  }

  /** To be called after all rows. */
  checkTails(): void {
    const tails = this.#stored?.parts.at(-1)?.tails;
    for (let bucket = 0; bucket < BUCKETS; bucket++) {
      if ((tails?.[bucket] ?? -1) > (this.#lastNumbers[bucket] as number))
        this.#damage(`its filters name a value of bucket ${bucket} that is missing`);
    }
  }

  #damage(what: string, index?: number): void {
    this.#input.findings.damage('payload index', what, index === undefined ? {} : { index });
  }

  /** Whether the ledger looks into this value. */
  #reaches(bucket: number, number: number): boolean {
    if (this.#stored === undefined) return true;
    return this.#stored.parts.some((part) => {
      const { first, last } = valuesOf(part, bucket);
      return first <= number && number <= last;
    });
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
  const stored = readParts(input);
  const check = new IndexCheck(input, stored);
  await eachRow(input.rows.ofKind('h'), input.pace, (row) => check.addRow(row));
  check.checkTails();
  await checkParts(input, stored);
}
