/**
 * Reads what merging will look at for the pairs of some testimonies, before any of it is wanted. The contacts of a pair lie all
 * over the memory: a loop that does nothing else waits for many pairs at a time, and merging takes a tenth less for it.
 */
import { DAY_SECONDS, EPOCH_SECONDS } from '../../protocol/time.js';
import type { Meeting } from './live-contact.js';
import type { LiveWriter } from './live-writer.js';
import { rowEnd, rowLength } from './segment.js';
import type { Segment } from './segment.js';

export function readPairsAhead(writer: LiveWriter, meetings: readonly Meeting[]): void {
  const [first] = meetings;
  if (first === undefined) return;
  // Those told together are of one time, as a rule: where they are not, less of it is read ahead.
  const seconds = first.epoch * EPOCH_SECONDS;
  for (const { pairs } of writer.tables) writer.touched ^= pairs.readAhead(meetings);
  for (const { segment } of writer.sealed.list)
    if (segment.lastSeconds > seconds - DAY_SECONDS && segment.baseSeconds <= seconds + DAY_SECONDS)
      writer.touched ^= touchRows(segment, meetings);
}

/** Of each pair the shorter row, where its contacts are looked for from the middle on. */
function touchRows(segment: Segment, meetings: readonly Meeting[]): number {
  const { rows, people, peer, startSignal } = segment;
  let sum = 0;
  for (const { lower, upper } of meetings)
    sum ^= rows[Math.min(lower, people)]! ^ rows[Math.min(upper, people)]!;
  for (const { lower, upper } of meetings) {
    const person = rowLength(segment, lower) <= rowLength(segment, upper) ? lower : upper;
    if (rowLength(segment, person) === 0) continue;
    const [from, end] = [rows[person]!, rowEnd(segment, person)];
    sum ^= startSignal[(from + end) >>> 1]! ^ startSignal[end - 1]! ^ peer[end - 1]!;
  }
  return sum;
}
