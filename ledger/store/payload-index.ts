/**
 * Which entry a payload first came with, by the payload's hash. The newest are in a table in memory; a full table goes
 * into the store's buckets (payload-buckets.ts) while the next one fills. Filters in memory say of nearly all new
 * payloads that they are, and of the others, which part of the log may have them (payload-parts.ts): a look reads
 * some three values of a bucket, however many it has.
 *
 * The row of a part is written once its table is synced in the buckets. What a ledger wrote of a table before it was
 * killed is not believed; the table is filled again by whoever opens the store, and written again.
 */
import { asError } from '../../protocol/errors.js';
import type { Row } from './journal-frames.js';
import {
  findIn,
  grow,
  numbersOf,
  orderByBucket,
  RECORDS_A_VALUE,
  type BucketOrder,
} from './payload-buckets.js';
import { HASHES_A_FILTER, PayloadFilter, type NewestFilter } from './payload-filter.js';
import { encodePart, noTails, PartsReader, valuesOf, type Part } from './payload-parts.js';
import { bucketOf, BUCKETS, PayloadTable } from './payload-table.js';
import { storeDamage } from './store-damage.js';
import { bucketKey, FILTER_RANGE, filterKey, OLD_INDEX_KEY } from './store-keys.js';
import type { Database } from './database.js';
import type { PayloadRecord } from './store.js';
import type { WriteBehind } from './write-behind.js';

/** Records in memory before they go into the buckets. */
const TABLE_RECORDS = 524_288;
/** Buckets read and written at a time. */
const BUCKETS_A_STEP = 64;
/** Values read at a time by who looks for payloads; 4 KiB each. */
const VALUES_A_STEP = 512;

/** Smaller for tests. */
export interface IndexSizes {
  readonly tableRecords?: number | undefined;
  /** A filter takes whole tables, up to so many hashes. */
  readonly filterHashes?: number | undefined;
}

interface IndexParts {
  readonly db: Database;
  readonly behind: WriteBehind;
  readonly filter: PayloadFilter;
  readonly parts: Part[];
  readonly indexedTo: number;
  readonly sizes: IndexSizes;
}

/** A hash that is looked for, and a value that may have it. */
interface Place {
  /** Number of the hash in the call. */
  readonly asked: number;
  readonly key: Uint8Array;
}

export class PayloadIndex {
  readonly #db: Database;
  readonly #behind: WriteBehind;
  readonly #filter: PayloadFilter;
  /** Those that have something in the buckets; the filter being filled may be of one more. */
  readonly #parts: Part[];
  /** Number of the last value of each bucket; -1 for none. */
  readonly #tails: Int32Array;
  readonly #tableRecords: number;
  readonly #filterHashes: number;
  #active: PayloadTable;
  #full: PayloadTable | undefined;
  #writing: Promise<void> | undefined;
  #failure: Error | undefined;
  #indexedTo: number;

  private constructor({ db, behind, filter, parts, indexedTo, sizes }: IndexParts) {
    this.#db = db;
    this.#behind = behind;
    this.#filter = filter;
    this.#parts = parts;
    this.#tails = parts.at(-1)?.tails.slice() ?? noTails();
    this.#indexedTo = indexedTo;
    this.#tableRecords = sizes.tableRecords ?? TABLE_RECORDS;
    this.#filterHashes = sizes.filterHashes ?? HASHES_A_FILTER;
    this.#active = new PayloadTable(this.#tableRecords);
    const last = parts.at(-1);
    if (last !== undefined && (last.reach === undefined || !this.#hasRoomForTable())) filter.begin();
  }

  /**
   * `indexedTo`: payloads of the entries before it are in the buckets, by what the caller knows; the rows may know of
   * more. The caller adds what is missing from {@link indexedTo} on. Throws `damaged`.
   */
  static async open(
    db: Database,
    behind: WriteBehind,
    indexedTo: number,
    sizes: IndexSizes = {},
  ): Promise<PayloadIndex> {
    const reader = new PartsReader(await db.get(OLD_INDEX_KEY));
    for await (const row of db.values(FILTER_RANGE)) reader.add(row);
    const { parts, filters } = reader;
    const last = parts.at(-1);
    const before = last === undefined ? 0 : (last.reach?.before ?? indexedTo);
    if (before < indexedTo) throw storeDamage('the payload index of the ledger’s store has lost its books');
    const filter = new PayloadFilter(filters, last?.reach?.hashes ?? 0);
    return new PayloadIndex({ db, behind, filter, parts, indexedTo: before, sizes });
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
   * The first entry with each payload, in the order asked. Of most new payloads nothing but the filters is
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
    if (missing.length > 0) await this.#findStored(hashes, missing, found);
    return found;
  }

  /** Resolves when no table is being written. */
  async idle(): Promise<void> {
    await this.#writing;
  }

  /** Looks for those `missing` in the buckets, and puts them into `found`. */
  async #findStored(
    hashes: readonly Uint8Array[],
    missing: readonly number[],
    found: (PayloadRecord | undefined)[],
  ): Promise<void> {
    const places = this.#placesOf(hashes, missing, found);
    for (;;) {
      const some = takeSome(places, VALUES_A_STEP);
      if (some.length === 0) return;
      const values = await this.#db.getMany(some.map(({ key }) => key));
      some.forEach(({ asked }, i) => (found[asked] ??= this.#believed(values[i], hashes[asked])));
    }
  }

  *#placesOf(
    hashes: readonly Uint8Array[],
    missing: readonly number[],
    found: readonly (PayloadRecord | undefined)[],
  ): Generator<Place> {
    for (const asked of missing) {
      const hash = hashes[asked] as Uint8Array;
      const bucket = bucketOf(hash);
      for (const part of this.#partsWith(hash)) {
        const { first, last } = valuesOf(part, bucket);
        for (let number = first; number <= last && found[asked] === undefined; number++)
          yield { asked, key: bucketKey(bucket, number) };
      }
    }
  }

  *#partsWith(hash: Uint8Array): Generator<Part> {
    for (const number of this.#filter.having(hash)) {
      const part = this.#parts[number];
      if (part !== undefined) yield part;
    }
  }

  /** What a value says of a payload, if the index reaches so far: beyond that a table was cut off. */
  #believed(value: Uint8Array | undefined, hash: Uint8Array | undefined): PayloadRecord | undefined {
    const record = hash && findIn(value, hash);
    const last = this.#parts.at(-1);
    return record !== undefined && record.index < (last?.reach?.before ?? Infinity) ? record : undefined;
  }

  #hasRoomForTable(): boolean {
    return this.#filter.hashes + this.#tableRecords <= this.#filterHashes;
  }

  #turn(): void {
    const full = this.#active;
    const filter = this.#filter.newest();
    this.#full = full;
    this.#active = new PayloadTable(this.#tableRecords);
    if (!this.#hasRoomForTable()) this.#filter.begin();
    this.#writing = this.#write(full, filter).then(
      () => {
        this.#full = undefined;
        this.#writing = undefined;
      },
      (error: unknown) => void (this.#failure = asError(error)),
    );
  }

  /**
   * `filter`: as it was when the table was full. What came later is added again by who opens the store: a
   * filter that had it already would say of each such payload that it may be known, and each would be looked
   * for in its bucket.
   */
  async #write(table: PayloadTable, filter: NewestFilter): Promise<void> {
    const order = orderByBucket(table);
    for (let first = 0; first < BUCKETS; first += BUCKETS_A_STEP) {
      await this.#writeBuckets(table, order, first);
      await this.#behind.applied();
    }
    await this.#behind.settle();
    const before = table.indexAt(table.count - 1) + 1;
    const reach = { hashes: filter.hashes, before, tails: this.#tails.slice() };
    this.#behind.add([{ key: filterKey(filter.number), value: encodePart(filter, reach) }]);
    await this.#behind.settle();
    const tailsBefore = this.#parts[filter.number - 1]?.tails ?? noTails();
    this.#parts[filter.number] = { tailsBefore, tails: reach.tails, reach };
    this.#indexedTo = before;
  }

  async #writeBuckets(table: PayloadTable, order: BucketOrder, first: number): Promise<void> {
    const buckets = Array.from({ length: BUCKETS_A_STEP }, (_, i) => first + i);
    const from = buckets.map((bucket) => Math.max(0, this.#tails[bucket] as number));
    const tails = await this.#db.getMany(buckets.map((bucket, i) => bucketKey(bucket, from[i] as number)));
    const rows = buckets.flatMap((bucket, i): Row[] => {
      const { values, records } = grow(tails[i], table, numbersOf(order, bucket));
      const tail = from[i] as number;
      this.#tails[bucket] = tail + Math.ceil(records / RECORDS_A_VALUE) - 1;
      return values.map((value, n) => ({ key: bucketKey(bucket, tail + n), value }));
    });
    this.#behind.add(rows);
  }
}

/** The next ones, `count` at most. */
function takeSome<T>(all: Iterator<T>, count: number): T[] {
  const some: T[] = [];
  while (some.length < count) {
    const next = all.next();
    if (next.done === true) break;
    some.push(next.value);
  }
  return some;
}
