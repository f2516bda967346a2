/** Building a segment in memory from contacts as columns: a counting sort by person. */
import assert from 'node:assert/strict';
import { standFast } from './stand-aside.js';
import type { StandAside } from './stand-aside.js';
import { MAX_CONTACT_SECONDS, MAX_SPAN_SECONDS, segmentBytes, segmentIn } from './segment.js';
import type { Segment } from './segment.js';

const ROWS_A_LOOK = 4096;

/** Contacts in order of start, fields as a segment has them; each `count` long. */
export interface SealedColumns {
  readonly count: number;
  /** Persons. */
  readonly lower: Uint32Array;
  readonly upper: Uint32Array;
  /** Unix seconds. */
  readonly start: Uint32Array;
  readonly duration: Uint16Array;
  readonly near: Uint16Array;
  readonly signal: Uint8Array;
  readonly nearInDay: Uint16Array;
  readonly weight: Uint16Array;
}

/** `people`: how many persons have a row; all of the contacts' are below it. */
export function buildSegment(
  id: number,
  people: number,
  contacts: SealedColumns,
  standAside: StandAside = standFast,
): Segment {
  const { count, start, duration } = contacts;
  const baseSeconds = count === 0 ? 0 : (start[0] ?? 0);
  let lastSeconds = baseSeconds;
  for (let k = 0; k < count; k++)
    lastSeconds = Math.max(lastSeconds, (start[k] ?? 0) + Math.min(duration[k] ?? 0, MAX_CONTACT_SECONDS));
  assert(lastSeconds - baseSeconds <= MAX_SPAN_SECONDS, 'a segment spans at most half a year');
  const shape = { id, baseSeconds, lastSeconds, people, entries: 2 * count };
  const segment = segmentIn(new SharedArrayBuffer(segmentBytes(shape)), shape);
  countRows(segment, contacts, standAside);
  fillRows(segment, contacts, standAside);
  return segment;
}

function countRows(
  { rows, people }: Segment,
  { count, lower, upper }: SealedColumns,
  standAside: StandAside,
): void {
  for (let k = 0; k < count; k++) {
    if (k % ROWS_A_LOOK === 0) standAside();
    rows[(lower[k] ?? 0) + 1]! += 1;
    rows[(upper[k] ?? 0) + 1]! += 1;
  }
  for (let p = 0; p < people; p++) rows[p + 1]! += rows[p]!;
}

function fillRows(segment: Segment, contacts: SealedColumns, standAside: StandAside): void {
  const { count, lower, upper } = contacts;
  const next = segment.rows.slice();
  for (let k = 0; k < count; k++) {
    if (k % ROWS_A_LOOK === 0) standAside();
    const [a, b] = [lower[k]!, upper[k]!];
    fillEntry(segment, next[a]!++, b, contacts, k);
    fillEntry(segment, next[b]!++, a, contacts, k);
  }
}

function fillEntry(segment: Segment, at: number, peer: number, c: SealedColumns, k: number): void {
  const near = Math.min(c.near[k]!, MAX_CONTACT_SECONDS);
  segment.peer[at] = peer;
  segment.startSignal[at] = ((c.start[k]! - segment.baseSeconds) << 8) | c.signal[k]!;
  segment.span[at] = (Math.min(c.duration[k]!, MAX_CONTACT_SECONDS) << 4) | (near >> 8);
  segment.nearLow[at] = near & 0xff;
  segment.nearInDay[at] = c.nearInDay[k]!;
  segment.weight[at] = c.weight[k]!;
}
