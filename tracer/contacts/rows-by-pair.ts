/**
 * Which rows of a live table a pair has: for each pair a chain in order of epoch, newest first, found by
 * hashing. One array of numbers, eight a row, so that going along a chain touches one line of memory a row.
 *
 * Each table has its own, as large as the table from the start, and goes with it: nothing grows, and nothing is
 * swept, while contacts come in. What no row was written to costs nothing, as in the table itself.
 */

import type { Meeting } from './live-contact.js';
import { sharedInt32, sharedUint32 } from './live-memory.js';

const STRIDE = 8;
/** Columns. NEXT is the row after it + 1. */
const [LOWER, UPPER, EPOCH, NEXT, END, NEAR, IN_DAY, IS_DEAD] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export const NO_ROW = -1;

/** What is asked of a row: its end in unix seconds, and seconds. */
export interface PairSums {
  readonly end: number;
  readonly near: number;
  readonly nearInDay: number;
}

export class RowsByPair {
  readonly #words: Uint32Array;
  /** The row with the newest epoch + 1, and above {@link #rowBits} some bits of the hash; 0 for none. */
  readonly #slots: Int32Array;
  readonly #rowBits: number;

  /** @param rows - that the table has room for */
  constructor(rows: number) {
    this.#words = sharedUint32(STRIDE * rows);
    this.#slots = sharedInt32(2 ** Math.ceil(Math.log2(2 * rows)));
    this.#rowBits = 32 - Math.clz32(rows);
  }

  /** The pair's row with the newest epoch, of those that are alive. */
  first(lower: number, upper: number): number {
    return this.#fromHere(this.#headIn(this.#slotOf(lower, upper)));
  }

  /** The one with the newest epoch before that. */
  next(row: number): number {
    return this.#fromHere(this.#after(row));
  }

  epoch(row: number): number {
    return this.#words[row * STRIDE + EPOCH]!;
  }

  end(row: number): number {
    return this.#words[row * STRIDE + END]!;
  }

  near(row: number): number {
    return this.#words[row * STRIDE + NEAR]!;
  }

  nearInDay(row: number): number {
    return this.#words[row * STRIDE + IN_DAY]!;
  }

  /** The pair's row of this epoch, if it has one that is alive. */
  find(lower: number, upper: number, epoch: number): number {
    let row = this.first(lower, upper);
    while (row !== NO_ROW && this.epoch(row) > epoch) row = this.next(row);
    return row !== NO_ROW && this.epoch(row) === epoch ? row : NO_ROW;
  }

  /** Reads where these pairs' chains begin (pairs-ahead.ts). Gives a number that says nothing. */
  readAhead(meetings: readonly Meeting[]): number {
    const [words, slots, mask] = [this.#words, this.#slots, this.#slots.length - 1];
    let sum = 0;
    for (const { lower, upper } of meetings) sum ^= slots[hashOf(lower, upper) & mask]!;
    for (const { lower, upper } of meetings) {
      const row = this.#headIn(hashOf(lower, upper) & mask);
      if (row !== NO_ROW) sum ^= words[row * STRIDE]!;
    }
    return sum;
  }

  /** Each row once at most. In its chain it takes the place of one of the same epoch, which is dead, or about to be. */
  insert(row: number, { lower, upper, epoch }: Meeting, { end, near, nearInDay }: PairSums): void {
    const words = this.#words;
    const base = row * STRIDE;
    words[base + LOWER] = lower;
    words[base + UPPER] = upper;
    words[base + EPOCH] = epoch;
    words[base + END] = end;
    words[base + NEAR] = near;
    words[base + IN_DAY] = nearInDay;
    const slot = this.#slotOf(lower, upper);
    let [before, after] = [NO_ROW, this.#headIn(slot)];
    while (after !== NO_ROW && this.epoch(after) > epoch) [before, after] = [after, this.#after(after)];
    if (after !== NO_ROW && this.epoch(after) === epoch) after = this.#after(after);
    words[base + NEXT] = after + 1;
    if (before === NO_ROW) this.#slots[slot] = this.#tagOf(hashOf(lower, upper)) | (row + 1);
    else words[before * STRIDE + NEXT] = row + 1;
  }

  /** From now on the pair does not have it. */
  kill(row: number): void {
    this.#words[row * STRIDE + IS_DEAD] = 1;
  }

  #after(row: number): number {
    return this.#words[row * STRIDE + NEXT]! - 1;
  }

  #fromHere(row: number): number {
    let alive = row;
    while (alive !== NO_ROW && this.#words[alive * STRIDE + IS_DEAD] === 1) alive = this.#after(alive);
    return alive;
  }

  #headIn(slot: number): number {
    return (this.#slots[slot]! & ((1 << this.#rowBits) - 1)) - 1;
  }

  #tagOf(hash: number): number {
    return (hash >>> this.#rowBits) << this.#rowBits;
  }

  /**
   * Where the pair's chain begins, or where it is to begin. Bits of the hash spare most looks at rows of other
   * pairs.
   */
  #slotOf(lower: number, upper: number): number {
    const [words, slots, mask, bits] = [this.#words, this.#slots, this.#slots.length - 1, this.#rowBits];
    const hash = hashOf(lower, upper);
    for (let slot = hash & mask; ; slot = (slot + 1) & mask) {
      const held = slots[slot]!;
      if (held === 0) return slot;
      if ((held ^ hash) >>> bits !== 0) continue;
      const base = this.#headIn(slot) * STRIDE;
      if (words[base + LOWER] === lower && words[base + UPPER] === upper) return slot;
    }
  }
}

function hashOf(lower: number, upper: number): number {
  const mixed = Math.imul(lower ^ Math.imul(upper, 0x85ebca6b), 0x9e3779b1);
  return mixed ^ (mixed >>> 15);
}
