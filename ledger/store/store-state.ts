/**
 * The row that a ledger starts from: what the last group commit left.
 *
 *     commit u48 | indexed to u48 | size u48 | root 32 | last appended u64 | previous leaf 32
 *     batches u48 | duplicates u48
 *     entries by type: n u8, { type u16 | count u48 } each | refusals by number: the same
 *     checkpoint: length u16, UTF-8
 */
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import type { Counters, LogState } from './store.js';

const FIXED_BYTES = 106;
const COUNT_BYTES = 8;

/** The state, and where the store's own books stand. */
export interface StateRow {
  readonly state: LogState;
  /** Commits since the log began. */
  readonly commit: number;
  /** Payloads of the entries before this one are in the buckets of the payload index. */
  readonly indexedTo: number;
}

function writeCounts(writer: ByteWriter, counts: ReadonlyMap<number, number>): void {
  writer.u8(counts.size);
  for (const [key, count] of counts) {
    writer.u16(key);
    writer.u48(count);
  }
}

function readCounts(reader: ByteReader): ReadonlyMap<number, number> {
  return new Map(Array.from({ length: reader.u8() }, () => [reader.u16(), reader.u48()] as const));
}

export function encodeStateRow({ state, commit, indexedTo }: StateRow): Uint8Array {
  const { counters } = state;
  const checkpoint = Buffer.from(state.checkpoint, 'utf8');
  const counts = counters.entriesByType.size + counters.refusalsByNumber.size;
  const writer = new ByteWriter(FIXED_BYTES + COUNT_BYTES * counts + checkpoint.length);
  writer.u48(commit);
  writer.u48(indexedTo);
  writer.u48(state.size);
  writer.bytes(state.root);
  writer.u64(state.lastAppendedMs);
  writer.bytes(state.previousLeaf);
  writer.u48(counters.batches);
  writer.u48(counters.duplicates);
  writeCounts(writer, counters.entriesByType);
  writeCounts(writer, counters.refusalsByNumber);
  writer.u16(checkpoint.length);
  writer.bytes(checkpoint);
  return writer.finish();
}

function readCounters(reader: ByteReader): Counters {
  return {
    batches: reader.u48(),
    duplicates: reader.u48(),
    entriesByType: readCounts(reader),
    refusalsByNumber: readCounts(reader),
  };
}

/** Throws `format`. */
export function decodeStateRow(bytes: Uint8Array): StateRow {
  const reader = new ByteReader(bytes, 'the state row');
  const commit = reader.u48();
  const indexedTo = reader.u48();
  const state = {
    size: asTreeSize(reader.u48()),
    root: reader.take(32),
    lastAppendedMs: asUnixMs(reader.u64()),
    previousLeaf: reader.take(32),
    counters: readCounters(reader),
    checkpoint: Buffer.from(reader.take(reader.u16())).toString('utf8'),
  };
  reader.end();
  return { state, commit, indexedTo };
}
