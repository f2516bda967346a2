/**
 * Buckets of the payload index: 4,096 of them, by the first 12 bits of the hash. A bucket is a row of values filled one
 * after the other; the last one is written anew as it grows. Records stand in the order of their entries, so what is
 * written twice after a crash shows, and the records of some entries that follow one another are in a few values.
 *
 *     record   first 16 bytes of H(payload) | type u16 | index u48 | retention day u32
 *     value    records, at most 146
 */
import { asBuffer } from '../../protocol/bytes.js';
import { BUCKETS, NAME_BYTES, wordAt, type PayloadTable } from './payload-table.js';
import type { PayloadRecord } from './store.js';

export const BUCKET_RECORD_BYTES = NAME_BYTES + 12;
export const RECORDS_A_VALUE = 146;

export function readBucketRecord(value: Buffer, at: number): PayloadRecord {
  return {
    type: value.readUInt16BE(at + NAME_BYTES),
    index: value.readUIntBE(at + NAME_BYTES + 2, 6),
    day: value.readUInt32BE(at + NAME_BYTES + 8),
  };
}

/** The first word tells nearly all records apart, and reading it costs a tenth of comparing bytes. */
export function findIn(value: Uint8Array | undefined, name: Uint8Array): PayloadRecord | undefined {
  if (value === undefined) return undefined;
  const first = wordAt(name, 0);
  for (let at = 0; at < value.length; at += BUCKET_RECORD_BYTES) {
    if (wordAt(value, at / 4) !== first) continue;
    const bytes = asBuffer(value);
    if (bytes.compare(name, 0, NAME_BYTES, at, at + NAME_BYTES) === 0) return readBucketRecord(bytes, at);
  }
  return undefined;
}

/** The records of a table by bucket (a counting sort): those of bucket b are `numbers[starts[b] .. starts[b + 1])`. */
export interface BucketOrder {
  readonly starts: Uint32Array;
  readonly numbers: Uint32Array;
}

export function orderByBucket(table: PayloadTable): BucketOrder {
  const starts = new Uint32Array(BUCKETS + 1);
  const buckets = new Uint16Array(table.count);
  for (let i = 0; i < table.count; i++) {
    const bucket = table.bucketAt(i);
    buckets[i] = bucket;
    starts[bucket + 1] = (starts[bucket + 1] as number) + 1;
  }
  for (let b = 0; b < BUCKETS; b++) starts[b + 1] = (starts[b + 1] as number) + (starts[b] as number);
  const next = starts.slice();
  const numbers = new Uint32Array(table.count);
  buckets.forEach((bucket, i) => {
    const at = next[bucket] as number;
    numbers[at] = i;
    next[bucket] = at + 1;
  });
  return { starts, numbers };
}

/** Numbers of the records of a bucket, in the order of their entries. */
export const numbersOf = ({ starts, numbers }: BucketOrder, bucket: number): Uint32Array =>
  numbers.subarray(starts[bucket], starts[bucket + 1]);

/** A bucket with the records of a table. */
export interface GrownBucket {
  /** Its values from its last one on; none when it had all these records. */
  readonly values: readonly Uint8Array[];
  /** Records in its last value so far and behind it, up to the last one of the table. */
  readonly records: number;
}

/**
 * Adds the records of a table to a bucket, those left out that it has: a value that a ledger wrote before it was killed
 * may hold them already, and some beyond them.
 *
 * `tail`: its last value, up to where the index reaches.
 */
export function grow(tail: Uint8Array | undefined, table: PayloadTable, numbers: Uint32Array): GrownBucket {
  const last = tail === undefined ? Buffer.alloc(0) : asBuffer(tail);
  const lastIndex = last.length === 0 ? -1 : readBucketRecord(last, last.length - BUCKET_RECORD_BYTES).index;
  const all = Buffer.allocUnsafe(last.length + numbers.length * BUCKET_RECORD_BYTES);
  all.set(last);
  let end = last.length;
  for (const number of numbers) {
    if (table.indexAt(number) <= lastIndex) continue;
    writeBucketRecord(table, number, all, end);
    end += BUCKET_RECORD_BYTES;
  }
  if (end === last.length) return { values: [], records: recordsUpTo(last, table.indexAt(table.count - 1)) };
  const valueBytes = RECORDS_A_VALUE * BUCKET_RECORD_BYTES;
  const values = Array.from({ length: Math.ceil(end / valueBytes) }, (_, i) =>
    all.subarray(i * valueBytes, Math.min(end, (i + 1) * valueBytes)),
  );
  return { values, records: end / BUCKET_RECORD_BYTES };
}

/** How many records of a value are of this entry or one before it. */
function recordsUpTo(value: Buffer, index: number): number {
  let end = value.length;
  while (end > 0 && readBucketRecord(value, end - BUCKET_RECORD_BYTES).index > index)
    end -= BUCKET_RECORD_BYTES;
  return end / BUCKET_RECORD_BYTES;
}

function writeBucketRecord(table: PayloadTable, number: number, target: Buffer, at: number): void {
  const { type, index, day } = table.recordAt(number);
  table.writeName(number, target, at);
  target.writeUInt16BE(type, at + NAME_BYTES);
  target.writeUIntBE(index, at + NAME_BYTES + 2, 6);
  target.writeUInt32BE(day, at + NAME_BYTES + 8);
}
