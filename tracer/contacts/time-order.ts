/**
 * The order in which a segment takes contacts: by start, then lower and upper person, then as they came; so
 * that a row is in order of start, then peer.
 */
import { standFast } from './stand-aside.js';
import type { StandAside } from './stand-aside.js';
import { MAX_SPAN_SECONDS } from './segment.js';
import { FirebreakError } from '../../protocol/errors.js';

const DIGIT_BITS = 12;
const DIGITS = 2 ** DIGIT_BITS;
const ROWS_A_LOOK = 8192;

export interface MeetingColumns {
  readonly count: number;
  readonly lower: Uint32Array;
  readonly upper: Uint32Array;
  /** Unix seconds. */
  readonly start: Uint32Array;
}

/**
 * The rows in their order: a radix sort by start, then short runs by people. Throws `input` for a span of over
 * half a year.
 */
export function timeOrder(columns: MeetingColumns, standAside: StandAside = standFast): Uint32Array {
  const { count, start } = columns;
  let [base, last] = [Infinity, 0];
  for (let k = 0; k < count; k++) {
    base = Math.min(base, start[k]!);
    last = Math.max(last, start[k]!);
  }
  if (last - base > MAX_SPAN_SECONDS)
    throw new FirebreakError('input', 'contacts of more than half a year do not fit into one segment');
  const asTheyCame = Uint32Array.from({ length: count }, (_, k) => k);
  standAside();
  const byLow = sortedByDigit({ start, base, shift: 0, standAside }, asTheyCame);
  const order = sortedByDigit({ start, base, shift: DIGIT_BITS, standAside }, byLow);
  sortRuns(columns, order, standAside);
  return order;
}

interface Digit {
  readonly start: Uint32Array;
  readonly base: number;
  readonly shift: number;
  readonly standAside: StandAside;
}

/** Stable. */
function sortedByDigit({ start, base, shift, standAside }: Digit, rows: Uint32Array): Uint32Array {
  const next = new Uint32Array(DIGITS + 1);
  const digitOf = (row: number): number => ((start[row]! - base) >>> shift) & (DIGITS - 1);
  for (const row of rows) next[digitOf(row) + 1]! += 1;
  for (let digit = 0; digit < DIGITS; digit++) next[digit + 1]! += next[digit]!;
  const sorted = new Uint32Array(rows.length);
  for (let k = 0; k < rows.length; k++) {
    if (k % ROWS_A_LOOK === 0) standAside();
    const row = rows[k]!;
    sorted[next[digitOf(row)]!++] = row;
  }
  return sorted;
}

function sortRuns({ lower, upper, start }: MeetingColumns, order: Uint32Array, standAside: StandAside): void {
  const compare = (p: number, q: number): number => lower[p]! - lower[q]! || upper[p]! - upper[q]! || p - q;
  let runs = 0;
  for (let from = 0; from < order.length;) {
    if (runs++ % ROWS_A_LOOK === 0) standAside();
    let sorted = true;
    let to = from + 1;
    for (; to < order.length && start[order[to]!] === start[order[from]!]; to++)
      sorted &&= compare(order[to - 1]!, order[to]!) < 0;
    if (!sorted) order.subarray(from, to).sort(compare);
    from = to;
  }
}
