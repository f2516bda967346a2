/**
 * People as the contact store numbers them: densely, in the order they were first met, so that a walk's labels
 * are plain arrays. The numbers are never reused; tags are looked up by open addressing. Shared memory: threads
 * read what one writes.
 */
import assert from 'node:assert/strict';

/** Read by walks. What lies beyond `count` people is not part of a snapshot. */
export interface People {
  /** Tag number by person. */
  readonly tags: Float64Array;
  /** person + 1 by slot, 0 for none; a power of two of slots, linear probing. */
  readonly slots: Int32Array;
  readonly count: number;
}

const HASH = 0x9e3779b1;

/** Folded, so that tags far apart by a power of two do not fall on one slot. */
function slotOf(tag: number, slots: number): number {
  const hash = Math.imul((tag % 0x100000000) ^ Math.floor(tag / 0x100000000), HASH);
  return (hash ^ (hash >>> 16)) & (slots - 1);
}

/** The person with this tag number; `undefined` for one the store has not met. */
export function personOf({ tags, slots, count }: People, tag: number): number | undefined {
  for (let slot = slotOf(tag, slots.length); ; slot = (slot + 1) & (slots.length - 1)) {
    const person = Atomics.load(slots, slot) - 1;
    if (person < 0) return undefined;
    if (tags[person] === tag) return person < count ? person : undefined;
  }
}

export class PeopleDirectory {
  #tags: Float64Array<SharedArrayBuffer>;
  #slots: Int32Array<SharedArrayBuffer>;
  #count = 0;

  constructor(expected = 1024) {
    const capacity = 2 ** Math.ceil(Math.log2(Math.max(16, expected)));
    this.#tags = new Float64Array(new SharedArrayBuffer(8 * capacity));
    this.#slots = new Int32Array(new SharedArrayBuffer(8 * capacity));
  }

  get count(): number {
    return this.#count;
  }

  /** As it stands: people added later are not in it. */
  view(): People {
    return { tags: this.#tags, slots: this.#slots, count: this.#count };
  }

  tagOf(person: number): number {
    assert(person < this.#count, 'a person of this directory');
    return this.#tags[person] ?? NaN;
  }

  /** The person with this tag number, a new one when it was not met before. */
  add(tag: number): number {
    const known = personOf(this.view(), tag);
    if (known !== undefined) return known;
    if (this.#count === this.#tags.length) this.#grow();
    const person = this.#count++;
    this.#tags[person] = tag;
    this.#enter(tag, person);
    return person;
  }

  #enter(tag: number, person: number): void {
    const slots = this.#slots;
    let slot = slotOf(tag, slots.length);
    while (slots[slot] !== 0) slot = (slot + 1) & (slots.length - 1);
    Atomics.store(slots, slot, person + 1);
  }

  /** Into new memory: views handed out before keep theirs. */
  #grow(): void {
    const [tags, capacity] = [this.#tags, this.#tags.length * 2];
    this.#tags = new Float64Array(new SharedArrayBuffer(8 * capacity));
    this.#tags.set(tags);
    this.#slots = new Int32Array(new SharedArrayBuffer(8 * capacity));
    for (let person = 0; person < this.#count; person++) this.#enter(tags[person] ?? NaN, person);
  }
}
