/**
 * Hashes of rows of 32-bit words, for tables in memory and in files. Each table draws a seed: who chooses
 * words, such as a tag the numbers of its reports, cannot choose where they fall.
 */
import { randomBytes } from 'node:crypto';

/** Of the words from `from` up to `to`; as an unsigned number of 32 bits. */
export function hashOfWords(seed: number, words: ArrayLike<number>, from: number, to: number): number {
  let hash = seed;
  for (let at = from; at < to; at++) {
    hash = Math.imul(hash ^ words[at]!, 0x9e3779b1);
    hash ^= hash >>> 15;
  }
  return hashAgain(hash);
}

/** Another one, as good as independent of it. */
export function hashAgain(hash: number): number {
  let again = Math.imul(hash ^ (hash >>> 16), 0x85ebca6b);
  again = Math.imul(again ^ (again >>> 13), 0xc2b2ae35);
  return (again ^ (again >>> 16)) >>> 0;
}

export const newSeed = (): number => randomBytes(4).readUInt32LE();
