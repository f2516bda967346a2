/**
 * A record of LevelDB's write-ahead log (write_batch.cc): puts and deletions that are applied together.
 *
 *     first sequence number u64 | count u32 | { 1 | key | value, or 0 | key } …      key, value: length varint, bytes
 */
import { FirebreakError } from '../../protocol/errors.js';
import { LevelBytes } from './leveldb-bytes.js';
import type { StoredRow } from './leveldb-rows.js';

export interface WriteBatch {
  readonly sequence: number;
  readonly rows: readonly StoredRow[];
}

/** Keys and values are views of `record`. Throws `format`. */
export function decodeWriteBatch(record: Uint8Array): WriteBatch {
  const bytes = new LevelBytes(record);
  const sequence = bytes.u64();
  const count = bytes.u32();
  const rows: StoredRow[] = [];
  while (!bytes.isAtEnd) rows.push(readRow(bytes, sequence + rows.length));
  if (rows.length === count) return { sequence, rows };
  throw new FirebreakError('format', `it says it holds ${count} changes and holds ${rows.length}`);
}

function readRow(bytes: LevelBytes, sequence: number): StoredRow {
  const kind = bytes.u8();
  if (kind > 1) throw new FirebreakError('format', `it holds a change of the unknown kind ${kind}`);
  const key = bytes.slice();
  return { key, sequence, value: kind === 1 ? bytes.slice() : undefined };
}
