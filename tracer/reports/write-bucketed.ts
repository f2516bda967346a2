/** Writes rows of 32-bit words into a file in which they are found by their first words (bucketed-format.ts). */
import { crc32 } from 'node:zlib';
import type { Turns } from '../turns.js';
import {
  bucketOf,
  bytesIn,
  HEAD_WORDS,
  headIn,
  LINE_WORDS,
  MAGIC,
  setIn,
  VERSION,
} from './bucketed-format.js';
import type { RowShape } from './bucketed-format.js';
import { hashOfWords, newSeed } from './word-hash.js';

/** A bucket is read and checked whole; a smaller one would cost more of the head. */
const BUCKET_ROWS = 64;
const ROWS_A_LINE = 32;
/** Rows between two looks at the clock. */
export const ROWS_A_LOOK = 256;

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
