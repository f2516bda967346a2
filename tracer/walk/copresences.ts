/**
 * The co-presences by which a walk reached somebody: 12 bytes each, outside of the heap. One that lost its place to a better
 * way is dropped, and the next takes its entry: so there are never more than arrivals, but for the one that is looked at.
 */
const FIRST_CAPACITY = 1024;
const NONE = -1;

export class Copresences {
  /** Unix seconds; of a free entry 1 + the one that was dropped before it. */
  start = new Uint32Array(0);
  end = new Uint32Array(0);
  gateway = new Uint32Array(0);
  #count = 0;
  /** The entry dropped last. */
  #free = NONE;

  /** The entry under which it is found until it is dropped. */
  add(start: number, end: number, gateway: number): number {
    const entry = this.#free === NONE ? this.#next() : this.#reused();
    this.start[entry] = start;
    this.end[entry] = end;
    this.gateway[entry] = gateway;
    return entry;
  }

  drop(entry: number): void {
    this.start[entry] = this.#free + 1;
    this.#free = entry;
  }

  #reused(): number {
    const entry = this.#free;
    this.#free = this.start[entry]! - 1;
    return entry;
  }

  #next(): number {
    if (this.#count === this.start.length) {
      this.start = grown(this.start);
      this.end = grown(this.end);
      this.gateway = grown(this.gateway);
    }
    return this.#count++;
  }
}

function grown(column: Uint32Array): Uint32Array<ArrayBuffer> {
  const longer = new Uint32Array(Math.max(FIRST_CAPACITY, 2 * column.length));
  longer.set(column);
  return longer;
}
