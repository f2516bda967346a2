/**
 * Entries as the store keeps them: one value for what a commit added to one bundle.
 *
 *     count u16 | retention day of each payload u32 | entries in the form of a C2SP bundle: u16 length before each
 */
import { asBuffer, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { storeDamage } from './store-damage.js';

const COUNT_BYTES = 2;
const DAY_BYTES = 4;
const LENGTH_BYTES = 2;

/** Entries as one commit stored them, from number `firstIndex` on. */
export interface Segment {
  readonly firstIndex: number;
  /** As {@link encodeEntrySegment} made it. */
  readonly value: Uint8Array;
}

export interface SegmentEntry {
  readonly entry: Uint8Array;
  readonly retentionDay: number;
}

export function encodeEntrySegment(entries: readonly SegmentEntry[]): Uint8Array {
  const head = COUNT_BYTES + DAY_BYTES * entries.length;
  const size = entries.reduce((sum, { entry }) => sum + LENGTH_BYTES + entry.length, head);
  const value = Buffer.allocUnsafe(size);
  value.writeUInt16BE(entries.length, 0);
  let at = head;
  entries.forEach(({ entry, retentionDay }, i) => {
    value.writeUInt32BE(retentionDay, COUNT_BYTES + DAY_BYTES * i);
    value.writeUInt16BE(entry.length, at);
    value.set(entry, at + LENGTH_BYTES);
    at += LENGTH_BYTES + entry.length;
  });
  return value;
}

/** Throws `format`. */
export function decodeEntrySegment(value: Uint8Array): SegmentEntry[] {
  const count = entryCount(value);
  const days = asBuffer(value);
  return entriesOf(value.subarray(headOf(count)), count).map((entry, i) => ({
    entry,
    retentionDay: days.readUInt32BE(COUNT_BYTES + DAY_BYTES * i),
  }));
}

/** Segments that follow one another in a bundle as one, as if a single commit had stored them. Throws `format`. */
export function joinEntrySegments(values: readonly Uint8Array[]): Uint8Array {
  const heads = values.map((value) => headOf(entryCount(value)));
  const count = Buffer.allocUnsafe(COUNT_BYTES);
  count.writeUInt16BE(values.reduce((sum, value) => sum + entryCount(value), 0));
  const days = values.map((value, i) => value.subarray(COUNT_BYTES, heads[i]));
  const entries = values.map((value, i) => value.subarray(heads[i]));
  return Buffer.concat([count, ...days, ...entries]);
}

const headOf = (count: number): number => COUNT_BYTES + DAY_BYTES * count;

/** How many a segment holds. Throws `format`. */
export function entryCount(value: Uint8Array): number {
  const count = (value[0] ?? 0) * 256 + (value[1] ?? 0);
  if (value.length >= headOf(count)) return count;
  throw new FirebreakError('format', 'a segment of entries is cut short');
}

const missing = (index: number): FirebreakError =>
  storeDamage(`entry ${index} is missing from the ledger's store`);

/** The beginning of a segment's entries, in the form of a bundle. */
interface Cut {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** The first entries of a segment, at most `wanted`. Throws `damaged` when one is cut short. */
function cutSegment({ firstIndex, value }: Segment, wanted: number): Cut {
  const stored = entryCount(value);
  const entries = value.subarray(headOf(stored));
  let at = 0;
  let count = 0;
  while (count < Math.min(wanted, stored)) {
    at += LENGTH_BYTES + (entries[at] ?? 0) * 256 + (entries[at + 1] ?? 0);
    if (at > entries.length) throw missing(firstIndex + count);
    count += 1;
  }
  return { bytes: entries.subarray(0, at), count };
}

/** Entries [first, first + width) as a C2SP bundle. Throws `damaged`, naming the first one that is not there. */
export function bundleOfSegments(first: number, width: number, segments: readonly Segment[]): Uint8Array {
  const parts: Uint8Array[] = [];
  let index = first;
  for (const segment of segments) {
    if (segment.firstIndex !== index) throw missing(index);
    const { bytes, count } = cutSegment(segment, first + width - index);
    parts.push(bytes);
    index += count;
  }
  if (index !== first + width) throw missing(index);
  return concat(...parts);
}
