/** What is remembered of a logged report that waits, to read it again: a row of six words. */
import { encodeEntry } from '../../protocol/tlog/entry.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import type { LoggedEntry } from '../follow/payloads.js';

export interface WaitingEntry {
  readonly index: number;
  readonly type: number;
  /** The first 16 bytes of its leaf hash: nobody can make another entry that shares them. */
  readonly leaf: Uint8Array;
}

export const LEAF_BYTES = 16;
/** Index low; index high 16 bits | type << 16; leaf 4. */
export const ENTRY_WORDS = 6;
const TWO_TO_32 = 2 ** 32;

export function rowOfEntry(entry: LoggedEntry): Uint32Array {
  const { index, type } = entry;
  const row = new Uint32Array(ENTRY_WORDS);
  row[0] = index % TWO_TO_32;
  row[1] = Math.floor(index / TWO_TO_32) + type * 2 ** 16;
  const { buffer, byteOffset } = leafHash(encodeEntry(entry));
  const view = new DataView(buffer, byteOffset, LEAF_BYTES);
  for (let k = 0; k < 4; k++) row[2 + k] = view.getUint32(4 * k);
  return row;
}

export function entryOfRow(row: Uint32Array): WaitingEntry {
  const leaf = new Uint8Array(LEAF_BYTES);
  const view = new DataView(leaf.buffer);
  for (let k = 0; k < 4; k++) view.setUint32(4 * k, row[2 + k]!);
  return { index: (row[1]! % 2 ** 16) * TWO_TO_32 + row[0]!, type: typeOfRow(row), leaf };
}

export const typeOfRow = (row: Uint32Array): number => Math.floor(row[1]! / 2 ** 16);
