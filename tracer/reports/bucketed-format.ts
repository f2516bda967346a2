/**
 * How rows of 32-bit words lie in a file that does not change and in which they are found by their first words:
 * what is looked up rarely needs no memory but a filter. Rows lie in buckets by a hash of their key, so that
 * one read finds a row. Words are little-endian:
 *
 *     "FBRB" | version = 1 | words of a row | words of its key | rows | bits of a bucket's number |
 *     lines of the filter | seed
 *     first row of each bucket, and the number of rows | CRC-32 of each bucket | filter, 16 words a line
 *     rows, bucket by bucket
 *
 * All up to the rows is the head: it is read when the file is opened, and whoever names the file vouches for
 * it. A bucket is checked when it is read. The filter is a Bloom filter of 512 bits a line, 16 bits a row, of
 * which six are set: it says "perhaps" of one in some thousand rows that are not there.
 */
import { hashAgain } from './word-hash.js';

export const MAGIC = 0x42524246;
export const VERSION = 1;
export const HEAD_WORDS = 8;
export const LINE_WORDS = 16;

export interface RowShape {
  readonly rowWords: number;
  /** Of the row's first words; no two rows share them. */
  readonly keyWords: number;
}

export const bytesIn = ({ buffer, byteOffset, byteLength }: Uint32Array): Uint8Array =>
  new Uint8Array(buffer, byteOffset, byteLength);

/** The columns of a head, by the numbers that it begins with. */
export function headIn(words: Uint32Array) {
  const [, , , , , bits = 0, lines = 0] = words;
  const sumsAt = HEAD_WORDS + 2 ** bits + 1;
  const filterAt = sumsAt + 2 ** bits;
  return {
    starts: words.subarray(HEAD_WORDS, sumsAt),
    sums: words.subarray(sumsAt, filterAt),
    filter: words.subarray(filterAt, filterAt + LINE_WORDS * lines),
  };
}

export const bucketOf = (hash: number, bits: number): number => (bits === 0 ? 0 : hash >>> (32 - bits));

/** Six bits in a line of the filter, three of nine bits each from two more hashes. */
export function setIn(filter: Uint32Array, hash: number): void {
  const [line, first, second] = placesOf(filter, hash);
  for (let shift = 0; shift < 27; shift += 9) {
    for (const bits of [first, second]) {
      const bit = (bits >>> shift) & 511;
      filter[line + (bit >>> 5)]! |= 1 << (bit & 31);
    }
  }
}

export function isIn(filter: Uint32Array, hash: number): boolean {
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
