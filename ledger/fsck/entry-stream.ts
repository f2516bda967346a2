/** Entries in order as their rows hold them; what is missing, held twice or cannot be read is found on the way. */
import { indexOfKey, segmentKey } from '../store/store-keys.js';
import { decodeEntrySegment, type SegmentEntry } from '../store/store-segments.js';
import { FirebreakError } from '../../protocol/errors.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import type { Findings } from './findings.js';
import type { RowView } from './row-view.js';

const KEYS = 2 ** 48;
const AFTER_ENTRIES = Buffer.from('f');

/** How many entries the rows reach to, with gaps or without. */
export function reachOfEntries(rows: RowView): number {
  let low = 0;
  let high = KEYS - 1;
  while (low < high) {
    const middle = Math.ceil((low + high) / 2);
    if (rows.hasFrom(segmentKey(middle), AFTER_ENTRIES)) low = middle;
    else high = middle - 1;
  }
  for (const { value } of rows.range({ gte: segmentKey(low), lt: AFTER_ENTRIES }))
    return low + Math.max(1, countOf(value));
  return 0;
}

function countOf(value: Uint8Array): number {
  try {
    return decodeEntrySegment(value).length;
  } catch (error) {
    if (error instanceof FirebreakError) return 0;
    throw error;
  }
}

/** One value for each entry below `size`; `undefined` for one that is missing. */
export function* entriesInOrder(
  rows: RowView,
  size: number,
  findings: Findings,
): Generator<SegmentEntry | undefined> {
  let next = 0;
  for (const { key, value } of rows.ofKind('e')) {
    const first = indexOfKey(key);
    const entries = first < size ? readSegment(first, value, findings) : [];
    for (; next < Math.min(first, size); next++) yield undefined;
    checkPlace(first, entries.length, next, findings);
    for (const entry of entries.slice(next - first, size - first)) {
      yield entry;
      next += 1;
    }
    const isPast = first >= size || first + entries.length > size;
    if (isPast)
      findings.damage('entries', 'and those behind it are not in the signed log', {
        index: Math.max(first, size),
      });
    if (isPast) break;
  }
  for (; next < size; next++) yield undefined;
}

function readSegment(first: number, value: Uint8Array, findings: Findings): SegmentEntry[] {
  try {
    return decodeEntrySegment(value);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('entries', `begins a row that cannot be read: ${error.message}`, { index: first });
    return [];
  }
}

function checkPlace(first: number, count: number, next: number, findings: Findings): void {
  const last = first + count - 1;
  if (first < next) findings.damage('entries', 'is held by two rows', { index: first });
  if (Math.floor(first / TILE_WIDTH) < Math.floor(last / TILE_WIDTH))
    findings.damage('entries', 'begins a row that goes on past the end of its bundle', { index: first });
}
