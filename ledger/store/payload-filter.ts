/**
 * Bloom filters (Bloom 1970) over the payload hashes of a log: "certainly new" without a read, and of a hash that may be
 * known, which parts of the log may have it. A filter of 2 MiB that holds 2^20 hashes mistakes one new hash in a
 * thousand; filters add up, so that of a log of n million about n in a thousand are mistaken (n / 1,000 while that is
 * small; 9 % at 100 million). The probes are taken from the hash itself, which is as good as random; whoever makes
 * hashes that collide here only makes the ledger look twice.
 */
import { wordAt } from './payload-table.js';

/** A filter is meant for so many, at most. */
export const HASHES_A_FILTER = 2 ** 20;
export const FILTER_BYTES = 2 ** 21;
const FILTER_BITS = 8 * FILTER_BYTES;
const PROBES = 6;

/** A copy of the filter being filled. */
export interface NewestFilter {
  readonly number: number;
  /** How many it holds. */
  readonly hashes: number;
  readonly bytes: Uint8Array;
}

export class PayloadFilter {
  readonly #filters: Uint32Array[];
  #newest: Uint32Array;
  #hashes: number;

  /** `filters` as they were kept, `hashes` in the last of them, which is filled further; without any, one that is empty. */
  constructor(filters: readonly Uint8Array[] = [], hashes = 0) {
    const kept = filters.length > 0 ? filters : [new Uint8Array(FILTER_BYTES)];
    this.#filters = kept.map((bytes) => new Uint32Array(new Uint8Array(bytes).buffer));
    this.#newest = this.#filters.at(-1) as Uint32Array;
    this.#hashes = hashes;
  }

  /** Hashes in the filter being filled. */
  get hashes(): number {
    return this.#hashes;
  }

  /** What is added from now on goes into a new filter. */
  begin(): void {
    this.#newest = new Uint32Array(FILTER_BITS / 32);
    this.#filters.push(this.#newest);
    this.#hashes = 0;
  }

  newest(): NewestFilter {
    const bytes = new Uint8Array(this.#newest.slice().buffer);
    return { number: this.#filters.length - 1, hashes: this.#hashes, bytes };
  }

  /** `hash`: the first 8 bytes of it, at least. */
  add(hash: Uint8Array): void {
    const filter = this.#newest;
    const step = wordAt(hash, 1) | 1;
    let at = wordAt(hash, 0);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = at & (FILTER_BITS - 1);
      filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31));
      at = (at + step) >>> 0;
    }
    this.#hashes += 1;
  }

  /** False when the hash was certainly never added. */
  mayHave(hash: Uint8Array): boolean {
    const first = wordAt(hash, 0);
    const step = wordAt(hash, 1) | 1;
    for (const filter of this.#filters) if (hasAll(filter, first, step)) return true;
    return false;
  }

  /** Numbers of the filters that it may have been added to, from the newest on. */
  *having(hash: Uint8Array): Generator<number> {
    const first = wordAt(hash, 0);
    const step = wordAt(hash, 1) | 1;
    for (let number = this.#filters.length - 1; number >= 0; number--)
      if (hasAll(this.#filters[number] as Uint32Array, first, step)) yield number;
  }
}

function hasAll(filter: Uint32Array, first: number, step: number): boolean {
  let at = first;
  for (let probe = 0; probe < PROBES; probe++) {
    const bit = at & (FILTER_BITS - 1);
    if (((filter[bit >>> 5] as number) & (1 << (bit & 31))) === 0) return false;
    at = (at + step) >>> 0;
  }
  return true;
}
