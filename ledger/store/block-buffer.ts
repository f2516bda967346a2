/**
 * Memory that a disk can be written from directly (O_DIRECT): it begins at a page. A Buffer begins anywhere;
 * a WebAssembly memory is mapped, and so begins at a page on every system that has O_DIRECT.
 */

/** Whole blocks are written at whole blocks: what every disk and file system takes. */
export const BLOCK = 4096;
const WASM_PAGE = 65_536;

declare const WebAssembly: {
  readonly Memory: new (size: { readonly initial: number }) => { readonly buffer: ArrayBuffer };
};

export const wholeBlocks = (bytes: number): number => Math.ceil(bytes / BLOCK) * BLOCK;

export class BlockBuffer {
  #bytes = Buffer.alloc(0);

  /** At least `length` bytes, whatever they were used for last. Not to be called while the disk writes from them. */
  room(length: number): Buffer {
    if (this.#bytes.length < length) {
      const pages = Math.ceil((length * 1.25) / WASM_PAGE);
      this.#bytes = Buffer.from(new WebAssembly.Memory({ initial: pages }).buffer);
    }
    return this.#bytes;
  }
}
