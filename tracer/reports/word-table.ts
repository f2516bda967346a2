/**
 * A table of rows of 32-bit words, found by their first words: what the tracer remembers of each report,
 * without an object for each. Rows stand in the order they came; open addressing leads to them.
 */
import assert from 'node:assert/strict';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { hashOfWords, newSeed } from './word-hash.js';

export const NO_ROW = -1;

export class WordTable {
  readonly #width: number;
  readonly #keyWords: number;
  readonly #seed = newSeed();
  #words: Uint32Array;
  /** Row + 1, 0 for none. */
  #slots: Int32Array;
  #count = 0;

  /** Rows of `width` words, of which the first `keyWords` are the key. */
  constructor(width: number, keyWords: number) {
    assert(keyWords >= 1 && keyWords <= width, 'a key within the row');
    this.#width = width;
    this.#keyWords = keyWords;
    this.#words = new Uint32Array(16 * width);
    this.#slots = new Int32Array(32);
  }

  get count(): number {
    return this.#count;
  }

  /** The row with this key; {@link NO_ROW} when there is none. */
  find(key: Uint32Array): number {
    return (this.#slots[this.#slotOf(key, 0)] ?? 0) - 1;
  }

  /** Adds a row, unless there is one with its key. Gives whether it was added. */
  add(row: Uint32Array): boolean {
    assert(row.length === this.#width, 'a row of this table');
    if (this.find(row) !== NO_ROW) return false;
    if ((this.#count + 1) * this.#width > this.#words.length) this.#resize(2 * this.#words.length);
    this.#words.set(row, this.#count * this.#width);
    this.#slots[this.#slotOf(row, 0)] = ++this.#count;
    return true;
  }

  /** Words of a row; good until the table changes. */
  row(at: number): Uint32Array {
    return this.#words.subarray(at * this.#width, (at + 1) * this.#width);
  }

  /** The last row takes its place. Gives whether there was one. */
  delete(key: Uint32Array): boolean {
    const slot = this.#slotOf(key, 0);
    const at = (this.#slots[slot] ?? 0) - 1;
    if (at < 0) return false;
    this.#vacate(slot);
    const last = --this.#count;
    if (at === last) return true;
    this.#slots[this.#slotOf(this.#words, last * this.#width)] = at + 1;
    this.#words.copyWithin(at * this.#width, last * this.#width, (last + 1) * this.#width);
    return true;
  }

  /** Leaves only rows that `keeps` is true of, in their order. */
  filter(keeps: (row: Uint32Array) => boolean): void {
    let kept = 0;
    for (let at = 0; at < this.#count; at++) {
      if (!keeps(this.row(at))) continue;
      this.#words.copyWithin(kept * this.#width, at * this.#width, (at + 1) * this.#width);
      kept += 1;
    }
    this.#count = kept;
    this.#index();
  }

  /** count u32 | words u32, big-endian */
  encode(): Uint8Array {
    const words = this.#count * this.#width;
    const writer = new ByteWriter(4 + 4 * words).u32(this.#count);
    for (let at = 0; at < words; at++) writer.u32(this.#words[at] ?? 0);
    return writer.finish();
  }

  /** Takes the place of what is in it. Throws `format` for what no table of this shape encodes to. */
  decode(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes, 'a table of words');
    const count = reader.u32();
    const words = count * this.#width;
    if (reader.remaining !== 4 * words)
      throw new FirebreakError('format', `a table of ${count} rows has ${4 * words} bytes`);
    this.#words = new Uint32Array(Math.max(words, 16 * this.#width));
    for (let at = 0; at < words; at++) this.#words[at] = reader.u32();
    this.#count = count;
    this.#index();
  }

  /** Where the key is, or would be. */
  #slotOf(words: Uint32Array, from: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = this.#hash(words, from) & mask; ; slot = (slot + 1) & mask) {
      const at = (this.#slots[slot] ?? 0) - 1;
      if (at < 0 || this.#isKey(at, words, from)) return slot;
    }
  }

  #isKey(at: number, words: Uint32Array, from: number): boolean {
    for (let k = 0; k < this.#keyWords; k++)
      if (this.#words[at * this.#width + k] !== words[from + k]) return false;
    return true;
  }

  #hash(words: Uint32Array, from: number): number {
    return hashOfWords(this.#seed, words, from, from + this.#keyWords);
  }

  /** Moves up those after it that it stood in the way of. */
  #vacate(empty: number): void {
    const slots = this.#slots;
    const mask = slots.length - 1;
    let hole = empty;
    for (let slot = (hole + 1) & mask; slots[slot] !== 0; slot = (slot + 1) & mask) {
      const at = (slots[slot] ?? 0) - 1;
      const home = this.#hash(this.#words, at * this.#width) & mask;
      if (((slot - home) & mask) < ((slot - hole) & mask)) continue;
      slots[hole] = at + 1;
      hole = slot;
    }
    slots[hole] = 0;
  }

  #resize(words: number): void {
    const grown = new Uint32Array(words);
    grown.set(this.#words);
    this.#words = grown;
    this.#index();
  }

  #index(): void {
    const rows = this.#words.length / this.#width;
    this.#slots = new Int32Array(2 ** Math.ceil(Math.log2(2 * rows)));
    for (let at = 0; at < this.#count; at++)
      this.#slots[this.#slotOf(this.#words, at * this.#width)] = at + 1;
  }
}
