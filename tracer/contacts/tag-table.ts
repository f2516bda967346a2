/** Tags of one day by open addressing, their numbers beside them in the slot, so that a look-up is one miss of the cache. */
const HASH = 0x9e3779b1;
const FIRST_SLOTS = 2 ** 12;
const WORDS = 4;
const FREE = 0xffffffff;

const slotOf = (tag: number, slots: number): number => (Math.imul(tag, HASH) >>> 0) & (slots - 1);

export interface CountedTags {
  /** Ascending. */
  readonly tags: Uint32Array<ArrayBuffer>;
  /** By tag: how often it was counted. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** How often each tag was met. */
export class TagCounter {
  #slots = FIRST_SLOTS;
  #size = 0;
  /** tag | count by slot; a count of 0: free. */
  #table = new Uint32Array(2 * FIRST_SLOTS);

  add(tag: number): void {
    const at = 2 * this.#find(tag);
    if (this.#table[at + 1]!++ > 0) return;
    this.#table[at] = tag;
    if (2 * ++this.#size > this.#slots) this.#grow();
  }

  counted(): CountedTags {
    const tags = new Uint32Array(this.#size);
    let next = 0;
    for (let at = 0; at < this.#table.length; at += 2)
      if (this.#table[at + 1] !== 0) tags[next++] = this.#table[at]!;
    tags.sort();
    return { tags, counts: tags.map((tag) => this.#table[2 * this.#find(tag) + 1]!) };
  }

  /** Its slot, or the free one where it would go. */
  #find(tag: number): number {
    const table = this.#table;
    let slot = slotOf(tag, this.#slots);
    while (table[2 * slot] !== tag && table[2 * slot + 1] !== 0) slot = (slot + 1) & (this.#slots - 1);
    return slot;
  }

  #grow(): void {
    const old = this.#table;
    this.#slots *= 2;
    this.#table = new Uint32Array(2 * this.#slots);
    for (let at = 0; at < old.length; at += 2)
      if (old[at + 1] !== 0) this.#table.set([old[at]!, old[at + 1]!], 2 * this.#find(old[at]!));
  }
}

export interface PlacedTags {
  readonly tags: Uint32Array;
  /** By tag: its person, and where its first contact goes. */
  readonly persons: Uint32Array;
  readonly places: Uint32Array;
}

/** The person of each tag, and where that person's next contact goes. */
export class TagPlaces {
  readonly #mask: number;
  /** tag | person, all ones: free | next place | 0 by slot. */
  readonly table: Uint32Array;

  constructor({ tags, persons, places }: PlacedTags) {
    const slots = 2 ** Math.ceil(Math.log2(2 * tags.length + 2));
    this.#mask = slots - 1;
    this.table = new Uint32Array(WORDS * slots);
    for (let at = 1; at < this.table.length; at += WORDS) this.table[at] = FREE;
    for (let i = 0; i < tags.length; i++) {
      let slot = slotOf(tags[i]!, slots);
      while (this.table[WORDS * slot + 1] !== FREE) slot = (slot + 1) & this.#mask;
      this.table.set([tags[i]!, persons[i]!, places[i]!], WORDS * slot);
    }
  }

  /** Where in the table the words of this tag are, one of those given. */
  find(tag: number): number {
    const table = this.table;
    let slot = slotOf(tag, this.#mask + 1);
    while (table[WORDS * slot] !== tag || table[WORDS * slot + 1] === FREE) slot = (slot + 1) & this.#mask;
    return WORDS * slot;
  }
}
