/** A bundle (C2SP tlog-tiles: u16 length before each entry) put together from the segments of the commits it came in. */
import { concat } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';

/** Entries as one commit stored them, from number `firstIndex` on. */
export interface Segment {
  readonly firstIndex: number;
  readonly entries: Uint8Array;
}

const missing = (index: number): FirebreakError =>
  new FirebreakError(
    'damaged',
    `entry ${index} is missing from the ledger's store: restore its folder from a copy`,
  );

interface Cut {
  readonly bytes: Uint8Array;
  readonly count: number;
}

/** The first entries of a segment, at most `wanted`. Throws `damaged` when one is cut short. */
function cutSegment({ firstIndex, entries }: Segment, wanted: number): Cut {
  let at = 0;
  let count = 0;
  while (count < wanted && at < entries.length) {
    at += 2 + (entries[at] ?? 0) * 256 + (entries[at + 1] ?? 0);
    if (at > entries.length) throw missing(firstIndex + count);
    count += 1;
  }
  return { bytes: entries.subarray(0, at), count };
}

/** Entries [first, first + width). Throws `damaged`, naming the first one that is not there. */
export function joinSegments(first: number, width: number, segments: readonly Segment[]): Uint8Array {
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
