/** Finding entries of a segment: whose row one lies in, and where a known contact lies. */
import { endAt, firstEndingFrom, firstFrom, rowEnd, startAt } from './segment.js';
import type { Segment } from './segment.js';

/** The person in whose row this entry lies. */
export function ownerOf({ rows, people }: Segment, entry: number): number {
  let [low, high] = [0, people];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((rows[middle + 1] ?? 0) <= entry) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** The earliest start of a contact in it that ends at or after this time, unix seconds; Infinity when there is none. */
export function firstStartOf(segment: Segment, keepFrom: number): number {
  if (segment.baseSeconds >= keepFrom) return segment.baseSeconds;
  let first = Infinity;
  for (let person = 0; person < segment.people; person++) {
    const end = rowEnd(segment, person);
    let entry = firstEndingFrom(segment, person, keepFrom);
    while (entry < end && endAt(segment, entry) < keepFrom) entry += 1;
    if (entry < end) first = Math.min(first, startAt(segment, entry));
  }
  return first;
}

/** Whether some contact in it ended before this time, unix seconds. */
export function holdsOlder(segment: Segment, seconds: number): boolean {
  if (segment.baseSeconds >= seconds) return false;
  for (let person = 0; person < segment.people; person++) {
    const end = rowEnd(segment, person);
    for (let entry = segment.rows[person]!; entry < end && startAt(segment, entry) < seconds; entry++)
      if (endAt(segment, entry) < seconds) return true;
  }
  return false;
}

/**
 * How many contacts of the same two people that start in the same second come before this one: 0, with honest
 * clocks.
 */
export function rankOf(segment: Segment, entry: number): number {
  const { peer, rows } = segment;
  const from = rows[ownerOf(segment, entry)] ?? 0;
  const start = startAt(segment, entry);
  let rank = 0;
  for (let before = entry - 1; before >= from && startAt(segment, before) === start; before--)
    if (peer[before] === peer[entry]) rank += 1;
  return rank;
}

/**
 * The entry in `person`'s row of the contact with `peer` that starts at `start`, the one after `rank` of the
 * same; `undefined` when there is none. Both people's entries of a contact have the same rank, and keep it
 * where no other is dropped.
 */
export function findEntry(
  segment: Segment,
  person: number,
  peer: number,
  start: number,
  rank = 0,
): number | undefined {
  const end = rowEnd(segment, person);
  let skip = rank;
  for (let entry = firstFrom(segment, person, start); entry < end; entry++) {
    if (startAt(segment, entry) !== start) return undefined;
    if (segment.peer[entry] === peer && skip-- === 0) return entry;
  }
  return undefined;
}

/** The entry of the same contact in the other person's row. */
export function twinOf(segment: Segment, entry: number): number | undefined {
  const peer = segment.peer[entry] ?? 0;
  return findEntry(segment, peer, ownerOf(segment, entry), startAt(segment, entry), rankOf(segment, entry));
}
