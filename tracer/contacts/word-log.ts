/** Rows of 32-bit words as they come, to be written at the end of a file: little-endian, nothing between them. */
import assert from 'node:assert/strict';
import { endianness } from 'node:os';
import { FirebreakError } from '../../protocol/errors.js';

assert.equal(endianness(), 'LE', 'words are written as they lie in memory');

export class WordLog {
  #words = new Uint32Array(256);
  #used = 0;

  get isEmpty(): boolean {
    return this.#used === 0;
  }

  /** Rows of so many words. */
  rows(words: number): number {
    return this.#used / words;
  }

  push(words: ArrayLike<number>): void {
    if (this.#used + words.length > this.#words.length) {
      const grown = new Uint32Array(2 * this.#words.length + words.length);
      grown.set(this.#words.subarray(0, this.#used));
      this.#words = grown;
    }
    this.#words.set(words, this.#used);
    this.#used += words.length;
  }

  /** All rows; good until the next is pushed. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#words.buffer, 0, 4 * this.#used);
  }
}

/** What was written, as words. Throws `format` for bytes that are not rows of this many words. */
export function wordsOfLog(bytes: Uint8Array, rowWords: number, what: string): Uint32Array {
  if (bytes.length % (4 * rowWords) !== 0)
    throw new FirebreakError('format', `${what}: ${bytes.length} bytes are no rows of ${4 * rowWords}`);
  const isAligned = bytes.byteOffset % 4 === 0;
  const { buffer, byteOffset, length } = isAligned ? bytes : bytes.slice();
  return new Uint32Array(buffer, byteOffset, length / 4);
}
