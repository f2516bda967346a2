/**
 * The entries of one day that wait, in the order of the log, 24 bytes each: they come at the end, go at the front, and what is
 * kept of them on the disk only grows. In pieces, so that nothing large is ever copied.
 */
import { wordsOfLog } from './word-log.js';

/** What is remembered of an entry, to read it again. */
export interface WaitingEntry {
  readonly index: number;
  readonly type: number;
  /** The first 16 bytes of its leaf hash: nobody can make another entry that shares them. */
  readonly leaf: Uint8Array;
}

export const LEAF_BYTES = 16;
/** Index low; index high 16 bits | type << 16; leaf 4. */
const WORDS = 6;
const PIECE_ROWS = 4096;
const TWO_TO_32 = 2 ** 32;

export class WaitingDay {
  /** Those before the first that is wanted are gone. */
  readonly #pieces: (Uint32Array | undefined)[] = [];
  #count = 0;
  #taken = 0;
  #kept = 0;

  /** Entries that wait. */
  get size(): number {
    return this.#count - this.#taken;
  }

  /** How many at the front of what is kept wait no more. */
  get taken(): number {
    return this.#taken;
  }

  /** Whether some of it is saved. */
  get isKept(): boolean {
    return this.#kept > 0;
  }

  push({ index, type, leaf }: WaitingEntry): void {
    const [piece, at] = this.#placeOf(this.#count++);
    piece[at] = index % TWO_TO_32;
    piece[at + 1] = Math.floor(index / TWO_TO_32) + type * 2 ** 16;
    const { buffer, byteOffset } = leaf;
    const view = new DataView(buffer, byteOffset, LEAF_BYTES);
    for (let k = 0; k < 4; k++) piece[at + 2 + k] = view.getUint32(4 * k);
  }

  /** The first ones that wait, at most so many. */
  first(max: number): WaitingEntry[] {
    return Array.from({ length: Math.min(max, this.size) }, (_, k) => this.#at(this.#taken + k));
  }

  /** How many of each type wait. */
  types(): ReadonlyMap<number, number> {
    const types = new Map<number, number>();
    for (let row = this.#taken; row < this.#count; row++) {
      const [piece, at] = this.#placeOf(row);
      const type = typeIn(piece[at + 1]!);
      types.set(type, (types.get(type) ?? 0) + 1);
    }
    return types;
  }

  /** The first ones wait no more. */
  take(count: number): void {
    this.#taken += count;
    this.#letGo();
  }

  /** What is not saved yet. */
  fresh(): Uint8Array {
    const words = new Uint32Array((this.#count - this.#kept) * WORDS);
    for (let row = this.#kept; row < this.#count; row++) {
      const [piece, at] = this.#placeOf(row);
      words.set(piece.subarray(at, at + WORDS), (row - this.#kept) * WORDS);
    }
    return new Uint8Array(words.buffer);
  }

  saved(): void {
    this.#kept = this.#count;
    this.#letGo();
  }

  /** What was saved, into a day that is empty. Throws `format`. */
  restore(bytes: Uint8Array, taken: number): void {
    const words = wordsOfLog(bytes, WORDS, 'waiting reports');
    for (let from = 0; from < words.length; from += WORDS) {
      const [piece, at] = this.#placeOf(this.#count++);
      piece.set(words.subarray(from, from + WORDS), at);
    }
    this.#kept = this.#count;
    this.take(Math.min(taken, this.#count));
  }

  #at(row: number): WaitingEntry {
    const [piece, at] = this.#placeOf(row);
    const leaf = new Uint8Array(LEAF_BYTES);
    const view = new DataView(leaf.buffer);
    for (let k = 0; k < 4; k++) view.setUint32(4 * k, piece[at + 2 + k]!);
    const high = piece[at + 1]!;
    return { index: (high % 2 ** 16) * TWO_TO_32 + piece[at]!, type: typeIn(high), leaf };
  }

  #placeOf(row: number): readonly [Uint32Array, number] {
    const which = Math.floor(row / PIECE_ROWS);
    const piece = (this.#pieces[which] ??= new Uint32Array(PIECE_ROWS * WORDS));
    return [piece, (row % PIECE_ROWS) * WORDS];
  }

  #letGo(): void {
    const wanted = Math.floor(Math.min(this.#taken, this.#kept) / PIECE_ROWS);
    for (let which = wanted - 1; which >= 0 && this.#pieces[which] !== undefined; which--)
      this.#pieces[which] = undefined;
  }
}

const typeIn = (word: number): number => Math.floor(word / 2 ** 16);
