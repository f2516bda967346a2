/**
 * Rows of live tables as words of 32 bits, for a part that is kept (live-state.ts):
 *
 *     lower | upper | epoch | start | duration, immediate | near, medium | other, nearInDay | signal, flags |
 *     words of accounts
 *
 * and then the words of the accounts (live-accounts.ts). Of two in one word the first is the lower half.
 */
import type { WordLog } from './word-log.js';
import { newRow } from './live-row.js';
import { PARTIAL } from './live-table.js';
import type { LiveRows } from './live-table.js';
import { attenuationOf, isMutual } from './segment.js';

/** Before its accounts. */
export const ROW_WORDS = 9;
export const EPOCH_AT = 2;

/** Adds the row to the log; `blank` alone when it is dead. */
export function writeRow(rows: LiveRows, row: number, log: WordLog, blank: number): void {
  const { table, beside } = rows;
  const { person, start, duration, immediate, near, medium, nearInDay, signal, died } = table;
  if (died[row] !== 0) return log.push([blank]);
  const accounts = rows.accountsOf(row);
  log.push([
    ...[person[2 * row]!, person[2 * row + 1]!, beside.epoch[row]!, start[row]!],
    duration[row]! | (immediate[row]! << 16),
    near[row]! | (medium[row]! << 16),
    beside.other[row]! | (nearInDay[row]! << 16),
    signal[row]! | (beside.flags[row]! << 8),
    accounts.length,
  ]);
  log.push(accounts);
}

/** Filled for each row that is read: the table copies it. */
const read = newRow();

/** Appends the row that begins at `at`; gives the version it got. The table is not full and has both persons. */
export function appendWords(rows: LiveRows, words: Uint32Array, at: number): number {
  const [first, second, third, last] = [words[at + 4]!, words[at + 5]!, words[at + 6]!, words[at + 7]!];
  read.lower = words[at]!;
  read.upper = words[at + 1]!;
  read.epoch = words[at + EPOCH_AT]!;
  read.start = words[at + 3]!;
  read.duration = first & 0xffff;
  read.immediate = first >>> 16;
  read.near = second & 0xffff;
  read.medium = second >>> 16;
  read.other = third & 0xffff;
  read.nearInDay = third >>> 16;
  read.attenuationDb = attenuationOf(last & 0xff);
  read.mutual = isMutual(last & 0xff);
  read.partial = last >>> 8 === PARTIAL;
  const accounts = at + ROW_WORDS;
  return rows.appendWith(read, words.subarray(accounts, accounts + words[at + 8]!));
}
