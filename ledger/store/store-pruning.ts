/**
 * Day rows of the level store, and how the payloads of a pruned day leave its files.
 *
 * LevelDB deletes by writing that a key is deleted; the bytes go when the files that hold both are merged. Twice, because
 * once is not always enough: a memtable that is written out holds value and deletion side by side and may land on a level
 * where nothing merges it, and a value that a reader's snapshot still needs is kept. The second round puts a deletion at
 * either end of the day, above whatever is left, and merges again.
 */
import { FirebreakError } from '../../protocol/errors.js';
import { decodeDayRow, encodeDayRow, type DayRecord } from './day-record.js';
import { DAY_RANGE, dayKey, dayOfKey, KEPT_DAY, payloadKey, payloadRange } from './store-keys.js';
import type { Database } from './store-open.js';

const MAX_INDEX = 2 ** 48 - 1;

/** All day rows, ascending. Throws `format`. */
export async function readDays(db: Database): Promise<DayRecord[]> {
  const rows = await db.iterator(DAY_RANGE).all();
  return rows.map(([key, row]) => decodeDayRow(row, dayOfKey(key)));
}

/**
 * Removes the payloads of a day that a commit has pruned, and notes it; nothing else is touched. Crash cases: before the
 * row is written, all of it is done again, to no harm.
 *
 * Throws `input` for a day that is not pruned.
 */
export async function removePayloads(db: Database, day: number): Promise<DayRecord> {
  const row: Uint8Array | undefined = await db.get(dayKey(day));
  const record = row && decodeDayRow(row, day);
  if (record?.pruned === undefined || day >= KEPT_DAY)
    throw new FirebreakError('input', `the payloads of day ${day} are not pruned`);
  const { gte, lt } = payloadRange(day);
  await db.clear({ gte, lt });
  await compactRange(db, gte, lt);
  await db.batch([
    { type: 'del', key: gte },
    { type: 'del', key: payloadKey(day, MAX_INDEX) },
  ]);
  await compactRange(db, gte, lt);
  const removed = { ...record, pruned: { ...record.pruned, removed: true } };
  await db.put(dayKey(day), encodeDayRow(removed), { sync: true });
  return removed;
}

/** In Node.js `Level` is ClassicLevel, which can merge files; its type leaves room for browsers, which can't. */
interface Compacting {
  compactRange(start: Uint8Array, end: Uint8Array): Promise<void>;
}

async function compactRange(db: Database, start: Uint8Array, end: Uint8Array): Promise<void> {
  if (!canCompact(db)) throw new FirebreakError('input', 'this build of LevelDB cannot merge its files');
  await db.compactRange(start, end);
}

const canCompact = (db: Database): db is Database & Compacting =>
  'compactRange' in db && typeof db.compactRange === 'function';
