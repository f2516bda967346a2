/**
 * Finds rows by the hash of some of their words; the rows lie elsewhere. In groups, each of which grows when it
 * is full: whatever is done at once is small, however many rows there are.
 */
import { NO_ROW } from './word-table.js';

const GROUP_BITS = 10;
const FIRST_SLOTS = 16;

interface Group {
  /** Row + 1, 0 for none. */
  slots: Uint32Array;
  used: number;
}

export class RowIndex {
  readonly #groups: (Group | undefined)[] = Array.from({ length: 2 ** GROUP_BITS });
  readonly #hashOf: (row: number) => number;

  /** `hashOf`: of a row that is in the index, 32 bits. */
  constructor(hashOf: (row: number) => number) {
    this.#hashOf = hashOf;
  }

  /** The row with this hash that `isIt` is true of; {@link NO_ROW} when there is none. */
  find(hash: number, isIt: (row: number) => boolean): number {
    const slots = this.#groups[hash >>> (32 - GROUP_BITS)]?.slots;
    if (slots === undefined) return NO_ROW;
    const mask = slots.length - 1;
    for (let slot = hash & mask; slots[slot] !== 0; slot = (slot + 1) & mask)
      if (isIt(slots[slot]! - 1)) return slots[slot]! - 1;
    return NO_ROW;
  }

  /** A row that is not in it. */
  add(hash: number, row: number): void {
    const at = hash >>> (32 - GROUP_BITS);
    const group = (this.#groups[at] ??= { slots: new Uint32Array(FIRST_SLOTS), used: 0 });
    if (2 * ++group.used > group.slots.length) this.#grow(group);
    put(group.slots, hash, row);
  }

  #grow(group: Group): void {
    const grown = new Uint32Array(2 * group.slots.length);
    for (const place of group.slots) if (place !== 0) put(grown, this.#hashOf(place - 1), place - 1);
    group.slots = grown;
  }
}

function put(slots: Uint32Array, hash: number, row: number): void {
  const mask = slots.length - 1;
  let slot = hash & mask;
  while (slots[slot] !== 0) slot = (slot + 1) & mask;
  slots[slot] = row + 1;
}
