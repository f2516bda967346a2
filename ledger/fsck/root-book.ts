/** Roots of the log at the sizes somebody signed for: asked for before the entries are read, kept while they are. */
const HASH = 32;

export class RootBook {
  /** A bit for each size. */
  readonly #wanted: Uint8Array;
  readonly #sizes: number[] = [];
  readonly #roots: Uint8Array[] = [];
  #block = Buffer.alloc(0);
  #used = 0;

  constructor(size: number) {
    this.#wanted = new Uint8Array(Math.floor(size / 8) + 1);
  }

  /** Sizes past the end are passed over: {@link rootAt} has none for them. */
  want(size: number): void {
    const byte = Math.floor(size / 8);
    if (byte < this.#wanted.length) this.#wanted[byte] = (this.#wanted[byte] as number) | (1 << (size % 8));
  }

  isWanted(size: number): boolean {
    return (((this.#wanted[Math.floor(size / 8)] ?? 0) >> (size % 8)) & 1) === 1;
  }

  /** Sizes must rise from call to call. */
  keep(size: number, root: Uint8Array): void {
    if (this.#used === this.#block.length) {
      this.#block = Buffer.alloc(65_536 * HASH);
      this.#used = 0;
      this.#roots.push(this.#block);
    }
    this.#block.set(root, this.#used);
    this.#used += HASH;
    this.#sizes.push(size);
  }

  /** `undefined` when the root at this size could not be worked out. */
  rootAt(size: number): Uint8Array | undefined {
    let low = 0;
    let high = this.#sizes.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#sizes[middle] as number) < size) low = middle + 1;
      else high = middle;
    }
    if (this.#sizes[low] !== size) return undefined;
    const at = (low % 65_536) * HASH;
    return this.#roots[Math.floor(low / 65_536)]?.subarray(at, at + HASH);
  }
}
