/**
 * Rows of 32-bit words that wait, in the order they came: they come at the end, go at the front, and what is
 * kept of them on the disk only grows. In pieces, so that nothing large is ever copied.
 */
import type { DayPart } from '../contacts/day-parts.js';
import type { PartChange } from '../contacts/kept-parts.js';
import { wordsOfLog } from '../contacts/word-log.js';

const PIECE_ROWS = 4096;

export class RowQueue implements DayPart {
  readonly #rowWords: number;
  readonly #what: string;
  /** Those before the first that is wanted are gone. */
  readonly #pieces: (Uint32Array | undefined)[] = [];
  #count = 0;
  #taken = 0;
  #kept = 0;

  /** `what` is for whoever reads an error. */
  constructor(rowWords: number, what: string) {
    this.#rowWords = rowWords;
    this.#what = what;
  }

  /** Rows that wait. */
  get size(): number {
    return this.#count - this.#taken;
  }

  /** How many at the front of what is kept wait no more. */
  get taken(): number {
    return this.#taken;
  }

  push(row: ArrayLike<number>): void {
    this.#rowAt(this.#count++).set(row);
  }

  /** The first ones that wait, at most so many; not to be changed. */
  first(max: number): Uint32Array[] {
    return Array.from({ length: Math.min(max, this.size) }, (_, k) => this.#rowAt(this.#taken + k));
  }

  /** All that wait; not to be changed. */
  *rows(): Generator<Uint32Array, void, undefined> {
    for (let row = this.#taken; row < this.#count; row++) yield this.#rowAt(row);
  }

  /** The first ones wait no more. */
  take(count: number): void {
    this.#taken += count;
    this.#letGo();
  }

  change(name: string): PartChange | undefined {
    if (this.#count === this.#kept) return undefined;
    const words = new Uint32Array((this.#count - this.#kept) * this.#rowWords);
    for (let row = this.#kept; row < this.#count; row++)
      words.set(this.#rowAt(row), (row - this.#kept) * this.#rowWords);
    return { kind: 'append', name, bytes: new Uint8Array(words.buffer) };
  }

  saved(): void {
    this.#kept = this.#count;
    this.#letGo();
  }

  restore(bytes: Uint8Array): void {
    const words = wordsOfLog(bytes, this.#rowWords, this.#what);
    for (let from = 0; from < words.length; from += this.#rowWords)
      this.push(words.subarray(from, from + this.#rowWords));
    this.#kept = this.#count;
  }

  #rowAt(row: number): Uint32Array {
    const which = Math.floor(row / PIECE_ROWS);
    const piece = (this.#pieces[which] ??= new Uint32Array(PIECE_ROWS * this.#rowWords));
    const at = (row % PIECE_ROWS) * this.#rowWords;
    return piece.subarray(at, at + this.#rowWords);
  }

  #letGo(): void {
    const wanted = Math.floor(Math.min(this.#taken, this.#kept) / PIECE_ROWS);
    for (let which = wanted - 1; which >= 0 && this.#pieces[which] !== undefined; which--)
      this.#pieces[which] = undefined;
  }
}
