/** Tags of one day by open addressing, their numbers beside them in the slot, so that a look-up is one miss of the cache. */
const HASH = 0x9e3779b1;
const LEAST_BITS = 8;
const WORDS = 4;
const FREE = 0xffffffff;

/** Where a tag's slot is. Tags that lie close together have theirs in their order: what is near in number often is near in time. */
interface Slots {
  readonly bits: number;
  readonly least: number;
  readonly factor: number;
  readonly shift: number;
}

function slotsFor(tags: number, least: number, greatest: number): Slots {
  const bits = Math.max(LEAST_BITS, Math.ceil(Math.log2(2 * tags + 2)));
  const isDense = greatest - least < 2 ** bits;
  return { bits, least, factor: isDense ? 1 : HASH, shift: isDense ? 0 : 32 - bits };
}

const slotOf = (tag: number, { least, factor, shift }: Slots): number =>
  Math.imul(tag - least, factor) >>> shift;

export interface CountedTags {
  /** Ascending. */
  readonly tags: Uint32Array<ArrayBuffer>;
  /** By tag: how often it was counted. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** How often each tag was met. */
export class TagCounter {
  readonly #least: number;
  readonly #greatest: number;
  #size = 0;
  #slots: Slots;
  /** tag | count by slot; a count of 0: free. */
  #table: Uint32Array<ArrayBuffer>;

  /** No tag is below `least` or above `greatest`. */
  constructor(least: number, greatest: number) {
    this.#least = least;
    this.#greatest = greatest;
    this.#slots = slotsFor(0, least, greatest);
    this.#table = new Uint32Array(2 * 2 ** this.#slots.bits);
  }

  add(tag: number): void {
    const at = this.#find(tag);
    if (this.#table[at + 1]!++ > 0) return;
    this.#table[at] = tag;
    if (4 * ++this.#size > this.#table.length) this.#grow();
  }

  counted(): CountedTags {
    const tags = new Uint32Array(this.#size);
    let next = 0;
    for (let at = 0; at < this.#table.length; at += 2)
      if (this.#table[at + 1] !== 0) tags[next++] = this.#table[at]!;
    tags.sort();
    return { tags, counts: tags.map((tag) => this.#table[this.#find(tag) + 1]!) };
  }

  /** Where its words are, or the free ones where they would go. */
  #find(tag: number): number {
    const table = this.#table;
    let at = 2 * slotOf(tag, this.#slots);
    while (table[at] !== tag && table[at + 1] !== 0) at = (at + 2) & (table.length - 1);
    return at;
  }

  #grow(): void {
    const old = this.#table;
    this.#slots = slotsFor(this.#size, this.#least, this.#greatest);
    this.#table = new Uint32Array(2 * 2 ** this.#slots.bits);
    for (let at = 0; at < old.length; at += 2)
      if (old[at + 1] !== 0) this.#table.set([old[at]!, old[at + 1]!], this.#find(old[at]!));
  }
}

export interface PlacedTags extends CountedTags {
  /** By tag: its person, ascending. */
  readonly persons: Uint32Array;
  /** By tag: the entry of the segment that its first contact of the day goes to. */
  readonly places: Uint32Array;
}

/** The person of each tag, and the next free row of those that each has among the entries of the day. */
export class DayRows {
  readonly #slots: Slots;
  /** tag | person, all ones: free | next row | 0 by slot. */
  readonly table: Uint32Array<ArrayBuffer>;

  constructor({ tags, counts, persons }: PlacedTags) {
    this.#slots = slotsFor(tags.length, tags[0] ?? 0, tags.at(-1) ?? 0);
    this.table = new Uint32Array(WORDS * 2 ** this.#slots.bits);
    for (let at = 1; at < this.table.length; at += WORDS) this.table[at] = FREE;
    let row = 0;
    for (let i = 0; i < tags.length; i++) {
      let at = WORDS * slotOf(tags[i]!, this.#slots);
      while (this.table[at + 1] !== FREE) at = (at + WORDS) & (this.table.length - 1);
      this.table[at] = tags[i]!;
      this.table[at + 1] = persons[i]!;
      this.table[at + 2] = row;
      row += counts[i]!;
    }
  }

  /** Where in the table the words of this tag are: one of those given. */
  find(tag: number): number {
    const table = this.table;
    let at = WORDS * slotOf(tag, this.#slots);
    while (table[at] !== tag || table[at + 1] === FREE) at = (at + WORDS) & (table.length - 1);
    return at;
  }
}
