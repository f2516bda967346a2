/**
 * Bloom filters (Bloom 1970) over the payload hashes of a log: "certainly new" for all but about one new payload in a
 * thousand, without a read. One filter of 2 MiB for each 2^20 hashes. The probes are taken from the hash itself, which
 * is as good as random; whoever makes hashes that collide here only makes the ledger look twice.
 */
import { wordAt } from './payload-table.js';

export const HASHES_A_FILTER = 2 ** 20;
export const FILTER_BYTES = 2 ** 21;
const FILTER_BITS = 8 * FILTER_BYTES;
const PROBES = 6;

/** What {@link PayloadFilter} is kept as. */
export interface LatestFilters {
  /** Hashes in all filters, the older ones too. */
  readonly count: number;
  /** Those that hashes were added to lately: the one being filled and the one before. */
  readonly filters: readonly { readonly number: number; readonly bytes: Uint8Array }[];
}

export class PayloadFilter {
  readonly #filters: Uint32Array[];
  #count: number;

  /** Empty, or as it was kept: `count` hashes in `filters`. */
  constructor(filters: readonly Uint8Array[] = [], count = 0) {
    this.#filters = filters.map((bytes) => new Uint32Array(new Uint8Array(bytes).buffer));
    this.#count = count;
  }

  /** A copy of what changed lately. */
  latest(): LatestFilters {
    const first = Math.max(0, this.#filters.length - 2);
    const filters = this.#filters
      .slice(first)
      .map((filter, i) => ({ number: first + i, bytes: new Uint8Array(filter.slice().buffer) }));
    return { count: this.#count, filters };
  }

  /** `hash`: the first 8 bytes of it, at least. */
  add(hash: Uint8Array): void {
    if (this.#count >= this.#filters.length * HASHES_A_FILTER)
      this.#filters.push(new Uint32Array(FILTER_BITS / 32));
    const filter = this.#filters.at(-1) as Uint32Array;
    const step = wordAt(hash, 1) | 1;
    let at = wordAt(hash, 0);
    for (let probe = 0; probe < PROBES; probe++) {
      const bit = at & (FILTER_BITS - 1);
      filter[bit >>> 5] = (filter[bit >>> 5] as number) | (1 << (bit & 31));
      at = (at + step) >>> 0;
    }
    this.#count += 1;
  }

  /** False when the hash was certainly never added. */
  mayHave(hash: Uint8Array): boolean {
    const first = wordAt(hash, 0);
    const step = wordAt(hash, 1) | 1;
    for (const filter of this.#filters) if (hasAll(filter, first, step)) return true;
    return false;
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
