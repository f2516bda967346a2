/**
 * Rows of 32-bit words in a file that does not change, found by their first words: what is looked up rarely needs no memory but
 * a filter. Rows lie in buckets by a hash of their key, so that one read finds a row. Words are little-endian:
 *
 *     "FBRB" | version = 1 | words of a row | words of its key | rows | bits of a bucket's number | lines of the filter | seed
 *     first row of each bucket, and the number of rows | CRC-32 of each bucket | filter, 16 words a line
 *     rows, bucket by bucket
 *
 * All up to the rows is the head: it is read when the file is opened, and whoever names the file vouches for it. A bucket is
 * checked when it is read. The filter is a Bloom filter of 512 bits a line, 16 bits a row, of which six are set: it says "perhaps"
 * of one in some thousand rows that are not there.
 */
import { closeSync, openSync, readSync } from 'node:fs';
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import type { Turns } from '../turns.js';
import { hashAgain, hashOfWords, newSeed } from './word-hash.js';

const MAGIC = 0x42524246;
const VERSION = 1;
const HEAD_WORDS = 8;
/** A bucket is read and checked whole; a smaller one would cost more of the head. */
const BUCKET_ROWS = 64;
const LINE_WORDS = 16;
const ROWS_A_LINE = 32;
/** Rows between two looks at the clock. */
export const ROWS_A_LOOK = 256;

export interface RowShape {
  readonly rowWords: number;
  /** Of the row's first words; no two rows share them. */
  readonly keyWords: number;
}

/** Rows that are to be written: `row` gives the k-th, good until it is called again. */
export interface RowSource extends RowShape {
  readonly count: number;
  readonly row: (k: number) => Uint32Array;
}

export interface BucketedFile {
  readonly bytes: Uint8Array;
  /** The head is as long. */
  readonly headBytes: number;
}

/** Others have their turns meanwhile; the rows are not to change. */
export async function bucketRows(source: RowSource, turns: Turns): Promise<BucketedFile> {
  const { rowWords, keyWords, count } = source;
  const bits = Math.max(0, Math.ceil(Math.log2(count / BUCKET_ROWS)));
  const lines = Math.max(1, Math.ceil(count / ROWS_A_LINE));
  const seed = newSeed();
  const headWords = HEAD_WORDS + 2 ** bits + 1 + 2 ** bits + LINE_WORDS * lines;
  const words = new Uint32Array(headWords + count * rowWords);
  words.set([MAGIC, VERSION, rowWords, keyWords, count, bits, lines, seed]);
  const { starts, sums, filter } = headIn(words);
  const rows = words.subarray(headWords);

  const hashes = new Uint32Array(count);
  const next = new Uint32Array(2 ** bits);
  for (let k = 0; k < count; k++) {
    const hash = (hashes[k] = hashOfWords(seed, source.row(k), 0, keyWords));
    next[bucketOf(hash, bits)]! += 1;
    setIn(filter, hash);
    if (k % ROWS_A_LOOK === 0 && turns.isOver) await turns.next();
  }
  for (let bucket = 0, row = 0; bucket <= 2 ** bits; bucket++) {
    starts[bucket] = row;
    row += next[bucket] ?? 0;
    next[bucket] = starts[bucket]!;
  }
  for (let k = 0; k < count; k++) {
    rows.set(source.row(k), next[bucketOf(hashes[k]!, bits)]!++ * rowWords);
    if (k % ROWS_A_LOOK === 0 && turns.isOver) await turns.next();
  }
  for (let bucket = 0; bucket < 2 ** bits; bucket++) {
    sums[bucket] = crc32(bytesIn(rows.subarray(starts[bucket]! * rowWords, starts[bucket + 1]! * rowWords)));
    if (turns.isOver) await turns.next();
  }
  return { bytes: bytesIn(words), headBytes: 4 * headWords };
}

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

const bytesIn = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The columns of a head, by the numbers that it begins with. */
function headIn(words: Uint32Array) {
  const [, , , , , bits = 0, lines = 0] = words;
  const sumsAt = HEAD_WORDS + 2 ** bits + 1;
  const filterAt = sumsAt + 2 ** bits;
  return {
    starts: words.subarray(HEAD_WORDS, sumsAt),
    sums: words.subarray(sumsAt, filterAt),
    filter: words.subarray(filterAt, filterAt + LINE_WORDS * lines),
  };
}

const bucketOf = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits));

function isSame(rows: Uint32Array, at: number, key: Uint32Array, keyWords: number): boolean {
  for (let word = 0; word < keyWords; word++) if (rows[at + word] !== key[word]) return false;
  return true;
}

/** Six bits in a line of the filter, three of nine bits each from two more hashes. */
function setIn(filter: Uint32Array, hash: number): void {
  const [line, first, second] = placesOf(filter, hash);
  for (let shift = 0; shift < 27; shift += 9) {
    for (const bits of [first, second]) {
      const bit = (bits >>> shift) & 511;
      filter[line + (bit >>> 5)]! |= 1 << (bit & 31);
    }
  }
}

function isIn(filter: Uint32Array, hash: number): boolean {
  const [line, first, second] = placesOf(filter, hash);
  for (let shift = 0; shift < 27; shift += 9) {
    for (const bits of [first, second]) {
      const bit = (bits >>> shift) & 511;
      if ((filter[line + (bit >>> 5)]! & (1 << (bit & 31))) === 0) return false;
    }
  }
  return true;
}

function placesOf(filter: Uint32Array, hash: number): readonly [line: number, number, number] {
  const chosen = hashAgain(hash);
  const first = hashAgain(chosen ^ 0x5bd1e995);
  return [(chosen % (filter.length / LINE_WORDS)) * LINE_WORDS, first, hashAgain(first ^ 0x27d4eb2f)];
}
