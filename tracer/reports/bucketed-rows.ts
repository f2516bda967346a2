/** Finds rows of 32-bit words in a file by their first words (bucketed-format.ts). */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import { bucketOf, bytesIn, headIn, isIn, MAGIC, VERSION } from './bucketed-format.js';
import type { RowShape } from './bucketed-format.js';
import { hashOfWords } from './word-hash.js';

/** Such a file, its head in memory. */
export class BucketedRows {
  readonly count: number;
  readonly #path: string;
  readonly #shape: RowShape;
  readonly #headBytes: number;
  readonly #bits: number;
  readonly #seed: number;
  readonly #starts: Uint32Array;
  readonly #sums: Uint32Array;
  readonly #filter: Uint32Array;

  /** `head` is as it was written. Throws `damaged` when it is of another shape. */
  constructor(path: string, head: Uint8Array, shape: RowShape) {
    const words = new Uint32Array(new Uint8Array(head).buffer);
    const [magic, version, rowWords, keyWords, count = 0, bits = 0, , seed = 0] = words;
    const isIt = magic === MAGIC && version === VERSION;
    if (!isIt || rowWords !== shape.rowWords || keyWords !== shape.keyWords) throw damaged(path);
    ({ starts: this.#starts, sums: this.#sums, filter: this.#filter } = headIn(words));
    [this.#path, this.#shape, this.#headBytes] = [path, shape, head.length];
    [this.count, this.#bits, this.#seed] = [count, bits, seed];
  }

  /** The row with this key. Throws `damaged` for a file that was changed, and what the disk says. */
  find(key: Uint32Array): Uint32Array | undefined {
    const { rowWords, keyWords } = this.#shape;
    const hash = hashOfWords(this.#seed, key, 0, keyWords);
    if (!isIn(this.#filter, hash)) return undefined;
    const rows = this.#readBucket(bucketOf(hash, this.#bits));
    for (let at = 0; at < rows.length; at += rowWords)
      if (isSame(rows, at, key, keyWords)) return rows.subarray(at, at + rowWords);
    return undefined;
  }

  #readBucket(bucket: number): Uint32Array {
    const [from, to] = [this.#starts[bucket]!, this.#starts[bucket + 1]!];
    const words = new Uint32Array((to - from) * this.#shape.rowWords);
    const bytes = bytesIn(words);
    const file = openSync(this.#path, 'r');
    try {
      const read = readSync(file, bytes, 0, bytes.length, this.#headBytes + 4 * from * this.#shape.rowWords);
      if (read < bytes.length || crc32(bytes) !== this.#sums[bucket]) throw damaged(this.#path);
    } finally {
      closeSync(file);
    }
    return words;
  }
}

const damaged = (path: string): FirebreakError =>
  new FirebreakError(
    'damaged',
    `${path} was changed or cut short: what it says has to be read from the ledger again`,
  );

function isSame(rows: Uint32Array, at: number, key: Uint32Array, keyWords: number): boolean {
  for (let word = 0; word < keyWords; word++) if (rows[at + word] !== key[word]) return false;
  return true;
}
