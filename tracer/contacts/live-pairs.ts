/**
 * Which live contacts a pair has: for each pair a chain in order of epoch, newest first, found by hashing. One array of
 * numbers, eight a contact, so that going along a chain touches one line of memory a contact.
 */

const STRIDE = 8;
/** Columns. NEXT is the node after it + 1, VERSION that of its live row. */
const [LOWER, UPPER, EPOCH, VERSION, NEXT, END, NEAR, IN_DAY] = [0, 1, 2, 3, 4, 5, 6, 7] as const;
export const NO_NODE = -1;

export class LivePairs {
  #words: Uint32Array;
  #slots: Int32Array;
  #count = 0;
  #pairs = 0;

  constructor(expected = 1024) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected)));
    this.#words = new Uint32Array(STRIDE * capacity);
    this.#slots = new Int32Array(2 * capacity);
  }

  /** Contacts. */
  get count(): number {
    return this.#count;
  }

  get bytes(): number {
    return this.#words.byteLength + this.#slots.byteLength;
  }

  /** The pair's node with the newest epoch. */
  first(lower: number, upper: number): number {
    return (this.#slots[this.#slotOf(lower, upper)] ?? 0) - 1;
  }

  next(node: number): number {
    return (this.#words[node * STRIDE + NEXT] ?? 0) - 1;
  }

  epoch = (node: number): number => this.#words[node * STRIDE + EPOCH] ?? 0;
  version = (node: number): number => this.#words[node * STRIDE + VERSION] ?? 0;
  end = (node: number): number => this.#words[node * STRIDE + END] ?? 0;
  near = (node: number): number => this.#words[node * STRIDE + NEAR] ?? 0;
  nearInDay = (node: number): number => this.#words[node * STRIDE + IN_DAY] ?? 0;

  /** The pair's node of this epoch. */
  find(lower: number, upper: number, epoch: number): number {
    let node = this.first(lower, upper);
    while (node !== NO_NODE && this.epoch(node) > epoch) node = this.next(node);
    return node !== NO_NODE && this.epoch(node) === epoch ? node : NO_NODE;
  }

  /** A new node; the pair has none of this epoch. */
  insert(lower: number, upper: number, epoch: number): number {
    if ((this.#count + 1) * STRIDE > this.#words.length) this.#growWords();
    if (2 * (this.#pairs + 1) > this.#slots.length) this.#growSlots(2 * this.#slots.length);
    const node = this.#count++;
    const base = node * STRIDE;
    this.#words[base + LOWER] = lower;
    this.#words[base + UPPER] = upper;
    this.#words[base + EPOCH] = epoch;
    this.#link(node, this.#slotOf(lower, upper));
    return node;
  }

  /** What the contact is now. */
  set(node: number, version: number, end: number, near: number, nearInDay: number): void {
    const base = node * STRIDE;
    this.#words[base + VERSION] = version;
    this.#words[base + END] = end;
    this.#words[base + NEAR] = near;
    this.#words[base + IN_DAY] = nearInDay;
  }

  /** Forgets all but those whose version `keep` is true of; other nodes get new numbers. */
  sweep(keep: (version: number) => boolean): void {
    const old = this.#words;
    const kept: number[] = [];
    for (let node = 0; node < this.#count; node++)
      if (keep(old[node * STRIDE + VERSION] ?? 0)) kept.push(node);
    const fresh = new LivePairs(kept.length * 2);
    // Oldest first: each then goes to the head of its chain.
    kept.sort((x, y) => (old[x * STRIDE + EPOCH] ?? 0) - (old[y * STRIDE + EPOCH] ?? 0));
    for (const from of kept) {
      const [lower = 0, upper = 0, epoch = 0, version = 0, , end = 0, near = 0, inDay = 0] = old.subarray(
        from * STRIDE,
        (from + 1) * STRIDE,
      );
      fresh.set(fresh.insert(lower, upper, epoch), version, end, near, inDay);
    }
    this.#words = fresh.#words;
    this.#slots = fresh.#slots;
    this.#count = fresh.#count;
    this.#pairs = fresh.#pairs;
  }

  #link(node: number, slot: number): void {
    const epoch = this.epoch(node);
    let after = (this.#slots[slot] ?? 0) - 1;
    if (after === NO_NODE) this.#pairs += 1;
    if (after === NO_NODE || this.epoch(after) < epoch) {
      this.#words[node * STRIDE + NEXT] = after + 1;
      this.#slots[slot] = node + 1;
      return;
    }
    for (let next = this.next(after); next !== NO_NODE && this.epoch(next) > epoch; next = this.next(after))
      after = next;
    this.#words[node * STRIDE + NEXT] = this.#words[after * STRIDE + NEXT] ?? 0;
    this.#words[after * STRIDE + NEXT] = node + 1;
  }

  #slotOf(lower: number, upper: number): number {
    const [words, slots, mask] = [this.#words, this.#slots, this.#slots.length - 1];
    let slot = hashOf(lower, upper) & mask;
    for (;;) {
      const node = (slots[slot] ?? 0) - 1;
      if (node < 0) return slot;
      if (words[node * STRIDE + LOWER] === lower && words[node * STRIDE + UPPER] === upper) return slot;
      slot = (slot + 1) & mask;
    }
  }

  #growWords(): void {
    const grown = new Uint32Array(2 * this.#words.length);
    grown.set(this.#words);
    this.#words = grown;
  }

  #growSlots(length: number): void {
    const old = this.#slots;
    this.#slots = new Int32Array(length);
    for (const head of old) {
      if (head === 0) continue;
      const base = (head - 1) * STRIDE;
      this.#slots[this.#slotOf(this.#words[base + LOWER] ?? 0, this.#words[base + UPPER] ?? 0)] = head;
    }
  }
}

function hashOf(lower: number, upper: number): number {
  const mixed = Math.imul(lower ^ Math.imul(upper, 0x85ebca6b), 0x9e3779b1);
  return (mixed ^ (mixed >>> 15)) >>> 0;
}
