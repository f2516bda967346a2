/**
 * Payloads by hash, in memory: an open-addressed table over typed arrays (linear probing, at most half full). Keys are
 * the first 16 bytes of SHA-256: nobody finds a second payload for one of those.
 */
import type { PayloadRecord } from './store.js';

/** Bytes of a payload's hash that name it in the index. */
export const NAME_BYTES = 16;
/** Buckets of the store's payload index, by the first 12 bits of the hash. */
export const BUCKETS = 4096;

export const bucketOf = (hash: Uint8Array): number => ((hash[0] as number) << 4) | ((hash[1] as number) >> 4);

const NAME_WORDS = 4;
const WORDS = 8;
const TYPE = 4;
const INDEX_LOW = 5;
const INDEX_HIGH = 6;
const DAY = 7;

/** A word of a hash, little-endian. */
export function wordAt(hash: Uint8Array, word: number): number {
  const at = word * 4;
  return (
    ((hash[at] as number) |
      ((hash[at + 1] as number) << 8) |
      ((hash[at + 2] as number) << 16) |
      ((hash[at + 3] as number) << 24)) >>>
    0
  );
}

export class PayloadTable {
  readonly capacity: number;
  readonly #mask: number;
  /** Number of a record plus one; 0 is free. */
  readonly #slots: Uint32Array;
  readonly #records: Uint32Array;
  #count = 0;

  constructor(capacity: number) {
    this.capacity = capacity;
    const slots = 2 ** Math.ceil(Math.log2(2 * Math.max(1, capacity)));
    this.#mask = slots - 1;
    this.#slots = new Uint32Array(slots);
    this.#records = new Uint32Array(capacity * WORDS);
  }

  get count(): number {
    return this.#count;
  }

  /** The caller sees to it that there is room and that the hash is new. */
  add(hash: Uint8Array, { type, index, day }: PayloadRecord): void {
    const records = this.#records;
    const at = this.#count * WORDS;
    for (let word = 0; word < NAME_WORDS; word++) records[at + word] = wordAt(hash, word);
    records[at + TYPE] = type;
    records[at + INDEX_LOW] = index % 2 ** 32;
    records[at + INDEX_HIGH] = Math.floor(index / 2 ** 32);
    records[at + DAY] = day;
    let slot = (records[at] as number) & this.#mask;
    while (this.#slots[slot] !== 0) slot = (slot + 1) & this.#mask;
    this.#count += 1;
    this.#slots[slot] = this.#count;
  }

  find(hash: Uint8Array): PayloadRecord | undefined {
    let slot = wordAt(hash, 0) & this.#mask;
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0) return undefined;
      if (this.#isNamed((number - 1) * WORDS, hash)) return this.recordAt(number - 1);
      slot = (slot + 1) & this.#mask;
    }
  }

  /** Record `i` in the order they were added. */
  recordAt(i: number): PayloadRecord {
    const at = i * WORDS;
    const records = this.#records;
    return {
      type: records[at + TYPE] as number,
      index: this.indexAt(i),
      day: records[at + DAY] as number,
    };
  }

  /** Index of the entry of record `i`. */
  indexAt(i: number): number {
    const at = i * WORDS;
    return (this.#records[at + INDEX_HIGH] as number) * 2 ** 32 + (this.#records[at + INDEX_LOW] as number);
  }

  /** The bucket of record `i`; see {@link bucketOf}. */
  bucketAt(i: number): number {
    const word = this.#records[i * WORDS] as number;
    return ((word & 0xff) << 4) | ((word >>> 12) & 0xf);
  }

  /** The hash of record `i`, its first 16 bytes, written to `target`. */
  writeName(i: number, target: Buffer, offset: number): void {
    for (let word = 0; word < NAME_WORDS; word++)
      target.writeUInt32LE(this.#records[i * WORDS + word] as number, offset + word * 4);
  }

  #isNamed(at: number, hash: Uint8Array): boolean {
    for (let word = 0; word < NAME_WORDS; word++)
      if (this.#records[at + word] !== wordAt(hash, word)) return false;
    return true;
  }
}
