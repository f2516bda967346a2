/** Day rows of the level store, and how the payloads of a pruned day leave its files. */
import { FirebreakError } from '../../protocol/errors.js';
import { decodeDayRow, encodeDayRow, type DayRecord } from './day-record.js';
import type { PayloadStore } from './read-payloads.js';
import { DAY_RANGE, dayKey, dayOfKey, KEPT_DAY, payloadRange } from './store-keys.js';
import type { Database } from './database.js';

/** All day rows, ascending. Throws `format`. */
export async function readDays(db: Database): Promise<DayRecord[]> {
  const rows = await db.iterator(DAY_RANGE).all();
  return rows.map(([key, row]) => decodeDayRow(row, dayOfKey(key)));
}

/** Where payloads of a day are. */
interface RemovalParts extends PayloadStore {
  /** Zeros over all frames of the journal, which hold payloads too. */
  readonly wipeJournal: () => Promise<void>;
}

/**
 * Removes the payloads of a day that a commit has pruned, and notes it in the day's row; nothing else is
 * touched. After a crash, a journal that may not be wiped, or a signal that ended it half-way, all of it is done
 * again, to no harm: the row is written last.
 *
 * Throws `input` for a day that is not pruned, and the reason of a signal that is aborted.
 */
export async function removePayloads(
  { db, files, wipeJournal }: RemovalParts,
  day: number,
  signal?: AbortSignal,
): Promise<DayRecord> {
  const row: Uint8Array | undefined = await db.get(dayKey(day));
  const record = row && decodeDayRow(row, day);
  if (record?.pruned === undefined || day >= KEPT_DAY)
    throw new FirebreakError('input', `the payloads of day ${day} are not pruned`);
  await files.remove(day, signal);
  await db.clear(payloadRange(day));
  await wipeJournal();
  const removed = { ...record, pruned: { ...record.pruned, removed: true } };
  await db.put(dayKey(day), encodeDayRow(removed), { sync: true });
  return removed;
}
