/**
 * What the checks need to know of each entry, in typed arrays by its number: 55 bytes an entry, and 6 to 12
 * for a table of payload hashes; about 65 in all, whatever the payloads.
 */
import { equalBytes, toHex } from '../../protocol/bytes.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import { wordAt } from '../store/payload-table.js';

const HASH = 32;
/** The share of slots of the hash table in use, at most. */
const LOAD = 0.7;

/** Marks of an entry. */
export const MARK = {
  /** The entry is the one that was logged; the columns hold what it says. */
  known: 1,
  /** No entry before it has its payload. */
  first: 2,
  /** The payload index has its payload. */
  indexed: 4,
  /** Its payload is stored. */
  stored: 8,
  /** The batch it says it came in has a row that names it. */
  named: 16,
} as const;

export class EntryColumns {
  readonly size: number;
  readonly types: Uint16Array;
  readonly lengths: Uint32Array;
  readonly retentionDays: Uint32Array;
  readonly sourceSeqs: Float64Array;
  readonly #hashes: Buffer;
  readonly #sources: Uint32Array;
  readonly #marks: Uint8Array;
  /** Number of each entry with a new payload, plus one, at a place that its hash gives (linear probing). */
  readonly #slots: Uint32Array;
  readonly #sourceNumbers = new Map<string, number>();
  readonly #sourceIds: Uint8Array[] = [];

  constructor(size: number) {
    this.size = size;
    this.types = new Uint16Array(size);
    this.lengths = new Uint32Array(size);
    this.retentionDays = new Uint32Array(size);
    this.sourceSeqs = new Float64Array(size);
    this.#hashes = Buffer.alloc(size * HASH);
    this.#sources = new Uint32Array(size);
    this.#marks = new Uint8Array(size);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(size / LOAD + 2)));
  }

  /** Keeps what a good entry says. */
  keep(index: number, entry: LedgerEntry, retentionDay: number): void {
    this.types[index] = entry.type;
    this.lengths[index] = entry.payloadLength;
    this.retentionDays[index] = retentionDay;
    this.sourceSeqs[index] = entry.sourceSeq;
    this.#sources[index] = this.#numberOf(entry.source);
    this.#hashes.set(entry.payloadSha256, index * HASH);
    const slot = this.#slotOf(entry.payloadSha256);
    const isFirst = this.#slots[slot] === 0;
    if (isFirst) this.#slots[slot] = index + 1;
    this.mark(index, isFirst ? MARK.known | MARK.first : MARK.known);
  }

  /** A view. */
  hashOf(index: number): Uint8Array {
    return this.#hashes.subarray(index * HASH, (index + 1) * HASH);
  }

  /** The first entry with this payload. */
  firstWith(hash: Uint8Array): number | undefined {
    const number = this.#slots[this.#slotOf(hash)] as number;
    return number === 0 ? undefined : number - 1;
  }

  /** The entry that holds the payload of this one: itself, or the first one with the same payload. */
  holderOf(index: number): number {
    return this.firstWith(this.hashOf(index)) ?? index;
  }

  /** False also for an entry past the end. */
  has(index: number, mark: number): boolean {
    return ((this.#marks[index] ?? 0) & mark) === mark;
  }

  mark(index: number, mark: number): void {
    this.#marks[index] = (this.#marks[index] ?? 0) | mark;
  }

  /** writerId of an entry that is known. */
  sourceOf(index: number): Uint8Array {
    return this.#sourceIds[(this.#sources[index] ?? 0) - 1] ?? new Uint8Array(0);
  }

  /** The number of a writer in {@link cameFrom}; 0 for one that no entry came from. */
  writerNumber(writerId: Uint8Array): number {
    return this.#sourceNumbers.get(toHex(writerId)) ?? 0;
  }

  cameFrom(index: number, writerNumber: number, seq: number): boolean {
    return this.#sources[index] === writerNumber && this.sourceSeqs[index] === seq;
  }

  #numberOf(source: Uint8Array): number {
    const name = toHex(source);
    const known = this.#sourceNumbers.get(name);
    if (known !== undefined) return known;
    this.#sourceIds.push(source);
    this.#sourceNumbers.set(name, this.#sourceIds.length);
    return this.#sourceIds.length;
  }

  /** The slot that holds this hash, or the free one where it would go. */
  #slotOf(hash: Uint8Array): number {
    const mask = this.#slots.length - 1;
    let slot = wordAt(hash, 0) & mask;
    for (;;) {
      const number = this.#slots[slot] as number;
      if (number === 0 || equalBytes(this.hashOf(number - 1), hash)) return slot;
      slot = (slot + 1) & mask;
    }
  }
}
