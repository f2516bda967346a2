/** Writing which entries of segments another version took the place of (view.ts, {@link Replaced}). */
import { replacedSlot, SLOT_WORDS } from './view.js';
import type { Replaced } from './view.js';

export interface ReplacedEntry {
  readonly segment: number;
  readonly entry: number;
  readonly version: number;
}

export class ReplacedBook {
  #slots: Int32Array<SharedArrayBuffer> = slotsFor(16);
  #touched = new Uint8Array(new SharedArrayBuffer(1024));
  #count = 0;

  get count(): number {
    return this.#count;
  }

  /** Views handed out before keep theirs: what is added later is newer than they are. */
  view(): Replaced {
    return { slots: this.#slots, touched: this.#touched };
  }

  isTouched(person: number): boolean {
    return this.#touched[person] === 1;
  }

  /** One entry of a replaced contact, and the person in whose row it stands. Each is added once. */
  add(entry: ReplacedEntry, person: number): void {
    if (2 * SLOT_WORDS * (this.#count + 1) > this.#slots.length) this.#grow();
    this.#touch(person);
    enter(this.#slots, entry);
    this.#count += 1;
  }

  *entries(): Generator<ReplacedEntry, void, undefined> {
    for (let slot = 0; slot < this.#slots.length; slot += SLOT_WORDS) {
      const id = this.#slots[slot] ?? 0;
      if (id === 0) continue;
      yield {
        segment: id - 1,
        entry: (this.#slots[slot + 1] ?? 0) >>> 0,
        version: (this.#slots[slot + 2] ?? 0) >>> 0,
      };
    }
  }

  #touch(person: number): void {
    if (person >= this.#touched.length) {
      const length = 2 ** Math.ceil(Math.log2(person + 1));
      const grown = new Uint8Array(new SharedArrayBuffer(length));
      grown.set(this.#touched);
      this.#touched = grown;
    }
    this.#touched[person] = 1;
  }

  #grow(): void {
    const known = [...this.entries()];
    this.#slots = slotsFor((2 * this.#slots.length) / SLOT_WORDS);
    for (const entry of known) enter(this.#slots, entry);
  }
}

const slotsFor = (slots: number) => new Int32Array(new SharedArrayBuffer(4 * SLOT_WORDS * slots));

/** The segment goes last: who finds it finds the rest. */
function enter(slots: Int32Array, { segment, entry, version }: ReplacedEntry): void {
  const mask = slots.length / SLOT_WORDS - 1;
  let slot = replacedSlot(segment, entry) & mask;
  while (slots[slot * SLOT_WORDS] !== 0) slot = (slot + 1) & mask;
  slots[slot * SLOT_WORDS + 1] = entry;
  slots[slot * SLOT_WORDS + 2] = version;
  Atomics.store(slots, slot * SLOT_WORDS, segment + 1);
}
