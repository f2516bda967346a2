/**
 * Which entry a payload first came with, by the payload's hash. The newest are in a table in memory; a full table goes
 * into the store's buckets while the next one fills. A filter in memory says of nearly all new payloads that they are.
 *
 * A bucket, one of 4,096 by the first 12 bits of the hash, is a row of values filled one after the other; the
 * last one is written anew as it grows. Records stand in the order of their entries, so what is written twice
 * after a crash shows.
 *
 *     record   first 16 bytes of H(payload) | type u16 | index u48 | retention day u32
 *     value    records, at most 146
 *     books    hashes in the filters u48 | values of each bucket u32, 4,096 of them
 *
 * Filters and books are kept with each table that goes into the buckets, so that opening does not read the buckets.
 */
import { asBuffer } from '../../protocol/bytes.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { Row } from './journal-frames.js';
import { PayloadFilter, type LatestFilters } from './payload-filter.js';
import { bucketOf, BUCKETS, NAME_BYTES, PayloadTable, wordAt } from './payload-table.js';
import { storeDamage } from './store-damage.js';
import { bucketKey, FILTER_RANGE, filterKey, INDEX_BOOKS_KEY } from './store-keys.js';
import type { Database } from './database.js';
import type { PayloadRecord } from './store.js';
import type { WriteBehind } from './write-behind.js';

export const BUCKET_RECORD_BYTES = NAME_BYTES + 12;
export const RECORDS_A_VALUE = 146;
/** Records in memory before they go into the buckets. */
const TABLE_RECORDS = 524_288;
/** Buckets read and written at a time. */
const BUCKETS_A_STEP = 64;

export function readBucketRecord(value: Buffer, at: number): PayloadRecord {
  return {
    type: value.readUInt16BE(at + NAME_BYTES),
    index: value.readUIntBE(at + NAME_BYTES + 2, 6),
    day: value.readUInt32BE(at + NAME_BYTES + 8),
  };
}

const BOOKS_BYTES = 6 + 4 * BUCKETS;

interface Books {
  readonly count: number;
  /** Number of the last value of each bucket; -1 for none. */
  readonly tails: Int32Array;
}

const NO_BOOKS: Books = { count: 0, tails: new Int32Array(BUCKETS).fill(-1) };

function encodeBooks(count: number, tails: Int32Array): Uint8Array {
  const bytes = Buffer.allocUnsafe(BOOKS_BYTES);
  bytes.writeUIntBE(count, 0, 6);
  tails.forEach((tail, bucket) => bytes.writeUInt32BE(tail + 1, 6 + 4 * bucket));
  return bytes;
}

/** Throws `damaged`. */
export function decodeBooks(value: Uint8Array): Books {
  const bytes = asBuffer(value);
  if (bytes.length !== BOOKS_BYTES)
    throw new FirebreakError('damaged', 'the books of the payload index are cut short');
  const tails = Int32Array.from({ length: BUCKETS }, (_, bucket) => bytes.readUInt32BE(6 + 4 * bucket) - 1);
  return { count: bytes.readUIntBE(0, 6), tails };
}

/** The first word tells nearly all records apart, and reading it costs a tenth of comparing bytes. */
function findIn(value: Uint8Array | undefined, name: Uint8Array): PayloadRecord | undefined {
  if (value === undefined) return undefined;
  const first = wordAt(name, 0);
  for (let at = 0; at < value.length; at += BUCKET_RECORD_BYTES) {
    if (wordAt(value, at / 4) !== first) continue;
    const bytes = asBuffer(value);
    if (bytes.compare(name, 0, NAME_BYTES, at, at + NAME_BYTES) === 0) return readBucketRecord(bytes, at);
  }
  return undefined;
}

interface IndexParts {
  readonly db: Database;
  readonly behind: WriteBehind;
  readonly filter: PayloadFilter;
  readonly tails: Int32Array;
  readonly indexedTo: number;
  readonly tableRecords: number;
}

export class PayloadIndex {
  readonly #db: Database;
  readonly #behind: WriteBehind;
  readonly #filter: PayloadFilter;
  /** Number of the last value of each bucket; -1 for none. */
  readonly #tails: Int32Array;
  readonly #tableRecords: number;
  #active: PayloadTable;
  #full: PayloadTable | undefined;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #indexedTo: number;

  private constructor({ db, behind, filter, tails, indexedTo, tableRecords }: IndexParts) {
    this.#db = db;
    this.#behind = behind;
    this.#filter = filter;
    this.#tails = tails;
    this.#indexedTo = indexedTo;
    this.#tableRecords = tableRecords;
    this.#active = new PayloadTable(tableRecords);
  }

  /**
   * `indexedTo`: payloads of the entries before it are in the buckets; the caller adds the rest. Throws `damaged`.
   */
  static async open(
    db: Database,
    behind: WriteBehind,
    indexedTo: number,
    tableRecords = TABLE_RECORDS,
  ): Promise<PayloadIndex> {
    const books: Uint8Array | undefined = await db.get(INDEX_BOOKS_KEY);
    const { count, tails } = books ? decodeBooks(books) : NO_BOOKS;
    const filters = books ? await db.values(FILTER_RANGE).all() : [];
    if (indexedTo > 0 && filters.length === 0)
      throw storeDamage('the payload index of the ledger’s store has lost its books');
    const filter = new PayloadFilter(filters, count);
    return new PayloadIndex({ db, behind, filter, tails: tails.slice(), indexedTo, tableRecords });
  }

  /** Payloads of all entries before this one are synced in the buckets. */
  get indexedTo(): number {
    return this.#indexedTo;
  }

  /** False when no entry has this payload. */
  mayHave(hash: Uint8Array): boolean {
    return this.#filter.mayHave(hash);
  }

  /** Resolves when `count` payloads can be added. Throws what the store failed with. */
  async room(count: number): Promise<void> {
    while (this.#active.count + count > this.#tableRecords) {
      await this.#writing;
      if (this.#failure !== undefined) throw this.#failure;
      this.#turn();
    }
  }

  /** Adds a payload that is not there yet; the caller asked for {@link room}. */
  add(hash: Uint8Array, record: PayloadRecord): void {
    this.#filter.add(hash);
    this.#active.add(hash, record);
  }

  /** Whether a payload is not in the table being filled. */
  lacks(hash: Uint8Array): boolean {
    return this.#active.find(hash) === undefined;
  }

  /**
   * The first entry with each payload, in the order asked. Of most new payloads nothing but the filter is
   * looked at.
   */
  async find(hashes: readonly Uint8Array[]): Promise<(PayloadRecord | undefined)[]> {
    const found = new Array<PayloadRecord | undefined>(hashes.length).fill(undefined);
    const missing: number[] = [];
    hashes.forEach((hash, i) => {
      if (!this.mayHave(hash)) return;
      found[i] = this.#active.find(hash) ?? this.#full?.find(hash);
      if (found[i] === undefined) missing.push(i);
    });
    const keys = missing.map((i) => this.#keysOf(bucketOf(hashes[i] as Uint8Array)));
    const values = keys.length === 0 ? [] : await this.#db.getMany(keys.flat());
    let at = 0;
    missing.forEach((i, n) => {
      const end = at + (keys[n]?.length ?? 0);
      for (; at < end; at++) found[i] ??= findIn(values[at], hashes[i] as Uint8Array);
    });
    return found;
  }

  /** Resolves when no table is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  #keysOf(bucket: number): Uint8Array[] {
    return Array.from({ length: (this.#tails[bucket] as number) + 1 }, (_, number) =>
      bucketKey(bucket, number),
    );
  }

  #turn(): void {
    const full = this.#active;
    this.#full = full;
    this.#active = new PayloadTable(this.#tableRecords);
    this.#writing = this.#write(full, this.#filter.latest()).then(
      () => {
        this.#indexedTo = full.recordAt(full.count - 1).index + 1;
        this.#full = undefined;
        this.#writing = undefined;
      },
      (error: unknown) => void (this.#failure = asError(error)),
    );
  }

  /**
   * `filters`: as they were when the table was full. What came later is added again by who opens the store: a
   * filter that had it already would say of each such payload that it may be known, and each would be looked
   * for in its bucket.
   */
  async #write(table: PayloadTable, filters: LatestFilters): Promise<void> {
    const order = orderByBucket(table);
    for (let first = 0; first < BUCKETS; first += BUCKETS_A_STEP) {
      await this.#writeBuckets(table, order, first);
      await this.#behind.applied();
    }
    this.#behind.add(this.#booksRows(filters));
    await this.#behind.settle();
  }

  #booksRows({ count, filters }: LatestFilters): Row[] {
    const rows = filters.map(({ number, bytes }) => ({ key: filterKey(number), value: bytes }));
    return [...rows, { key: INDEX_BOOKS_KEY, value: encodeBooks(count, this.#tails) }];
  }

  async #writeBuckets(table: PayloadTable, order: BucketOrder, first: number): Promise<void> {
    const buckets = Array.from({ length: BUCKETS_A_STEP }, (_, i) => first + i);
    const tails = await this.#db.getMany(
      buckets.map((bucket) => bucketKey(bucket, Math.max(0, this.#tails[bucket] as number))),
    );
    const rows = buckets.flatMap((bucket, i) => {
      const grown = grow(tails[i], table, numbersOf(order, bucket));
      const from = Math.max(0, this.#tails[bucket] as number);
      // A value that a ledger wrote before it was killed may hold everything already, and the books not know of it.
      if (grown.length > 0) this.#tails[bucket] = from + grown.length - 1;
      else if (tails[i] !== undefined) this.#tails[bucket] = from;
      return grown.map((value, n) => ({ key: bucketKey(bucket, from + n), value }));
    });
    this.#behind.add(rows);
  }
}

/** The records of a table by bucket (a counting sort): those of bucket b are `numbers[starts[b] .. starts[b + 1])`. */
interface BucketOrder {
  readonly starts: Uint32Array;
  readonly numbers: Uint32Array;
}

function orderByBucket(table: PayloadTable): BucketOrder {
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
const numbersOf = ({ starts, numbers }: BucketOrder, bucket: number): Uint32Array =>
  numbers.subarray(starts[bucket], starts[bucket + 1]);

/**
 * The values of a bucket from its last one on with new records, those left out that it has; none when all are
 * there.
 */
function grow(tail: Uint8Array | undefined, table: PayloadTable, numbers: Uint32Array): Uint8Array[] {
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
  if (end === last.length) return [];
  const valueBytes = RECORDS_A_VALUE * BUCKET_RECORD_BYTES;
  return Array.from({ length: Math.ceil(end / valueBytes) }, (_, i) =>
    all.subarray(i * valueBytes, Math.min(end, (i + 1) * valueBytes)),
  );
}

function writeBucketRecord(table: PayloadTable, number: number, target: Buffer, at: number): void {
  const { type, index, day } = table.recordAt(number);
  table.writeName(number, target, at);
  target.writeUInt16BE(type, at + NAME_BYTES);
  target.writeUIntBE(index, at + NAME_BYTES + 2, 6);
  target.writeUInt32BE(day, at + NAME_BYTES + 8);
}
