/**
 * Every way by which a walk reached somebody that may matter later, in the order found: a round's arrivals lie together,
 * and each names the one before it, which is of the round before. Columns that grow to a bound, and stay for the next walk.
 */
import { AskerError } from '../asker-error.js';

const FIRST_CAPACITY = 4096;

export class Arrivals {
  count = 0;
  person: Uint32Array;
  /** In the lens. */
  at: Int32Array;
  /** The arrival of the infector; −1 for a start. */
  previous: Int32Array;
  /** The contact it came by (tables.ts). */
  table: Uint16Array;
  entry: Uint32Array;
  /** Its keeper's: earliest.ts, every.ts. */
  link: Int32Array;
  readonly #most: number;
  #capacity: number;

  /** @param most - arrivals that are kept for one walk; 22 bytes each */
  constructor(most: number) {
    this.#most = most;
    const capacity = Math.min(most, FIRST_CAPACITY);
    this.person = new Uint32Array(capacity);
    this.at = new Int32Array(capacity);
    this.previous = new Int32Array(capacity);
    this.table = new Uint16Array(capacity);
    this.entry = new Uint32Array(capacity);
    this.link = new Int32Array(capacity);
    this.#capacity = capacity;
  }

  /** Throws `full`. */
  add(person: number, at: number, link: number): number {
    if (this.count === this.#capacity) this.#grow();
    const place = this.count++;
    this.person[place] = person;
    this.at[place] = at;
    this.link[place] = link;
    this.previous[place] = -1;
    return place;
  }

  /** Where there is no memory for one column, none has grown: the next walk needs all of them alike. Throws `full`. */
  #grow(): void {
    if (this.count >= this.#most) {
      const problem = `this trace meets more than ${this.#most} arrivals: ask for fewer hops, a shorter window, more seconds, or no infectious period`;
      throw new AskerError('full', problem);
    }
    const capacity = Math.min(this.#most, 2 * this.count);
    const person = grown(this.person, new Uint32Array(capacity));
    const at = grown(this.at, new Int32Array(capacity));
    const previous = grown(this.previous, new Int32Array(capacity));
    const table = grown(this.table, new Uint16Array(capacity));
    const entry = grown(this.entry, new Uint32Array(capacity));
    const link = grown(this.link, new Int32Array(capacity));
    this.person = person;
    this.at = at;
    this.previous = previous;
    this.table = table;
    this.entry = entry;
    this.link = link;
    this.#capacity = capacity;
  }
}

function grown<T extends { set(from: T): void }>(from: T, into: T): T {
  into.set(from);
  return into;
}
