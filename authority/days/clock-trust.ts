/**
 * Whether days may end by what the clock reads. Destroyed keys do not come back, so their end does not rest on a clock that
 * leapt: that is believed when a person says so, or when the log's own times passed the days between. What is no leap is
 * believed, which is why the window is longer than that (cli/folder/config.ts).
 */
import type { Log } from '../../protocol/log.js';
import { MAX_CLOCK_STEP_DAYS } from '../../protocol/time.js';
import type { DayKeyStore } from './day-key-store.js';
import type { WorkedDayStore } from './worked-day.js';

/** Days of the ledger's own clock, by entries that were verified. */
export interface LogDays {
  readonly first: number;
  /** From this day on the log has no gap of more than {@link MAX_CLOCK_STEP_DAYS}. */
  readonly steadySince: number;
  readonly newest: number;
}

/** What the day of another entry adds. A clock that goes back by as much as a leap begins anew. */
export function withEntryOf(day: number, known: LogDays | undefined): LogDays {
  const first = known?.first ?? day;
  if (known === undefined || isLeap(known.newest, day)) return { first, steadySince: day, newest: day };
  return { first, steadySince: known.steadySince, newest: Math.max(known.newest, day) };
}

/** Whether `today` does not follow from the newest day worked on, either way. */
export function isLeap(worked: number, today: number): boolean {
  return Math.abs(today - worked) > MAX_CLOCK_STEP_DAYS;
}

export interface KnownDays {
  readonly workedDay: WorkedDayStore;
  readonly dayKeys: Pick<DayKeyStore, 'list'>;
  /** Keys are made at most for days before the newest day worked on + horizonDays. */
  readonly horizonDays: number;
}

/**
 * The newest day worked on. Where none was noted, as in a folder of an earlier version, the earliest that the keys allow;
 * without keys there is nothing to lose, and it is today.
 */
export async function newestDayOf(
  { workedDay, dayKeys, horizonDays }: KnownDays,
  today: number,
): Promise<number> {
  const noted = await workedDay.read();
  if (noted !== undefined) return noted;
  const newestKeys = (await dayKeys.list()).at(-1);
  return newestKeys === undefined ? today : Math.min(today, newestKeys - horizonDays + 1);
}

export interface ClockTrustDeps extends KnownDays {
  /** What is known of the log's own times; absent where no log is read. */
  readonly logDays?: () => LogDays | undefined;
  readonly log: Log;
}

export interface ClockTrust {
  /** Whether days may end by this `today`; notes it when they may, and says once when they may not. */
  believes(today: number): Promise<boolean>;
}

export function openClockTrust(deps: ClockTrustDeps): ClockTrust {
  const { workedDay, log } = deps;
  let newest: number | undefined;
  let noted: number | undefined;
  let isSaid = false;
  /** No day was noted, so that the newest is a guess. */
  let isGuess = false;
  let roundsUnread = 0;

  async function follow(today: number): Promise<true> {
    newest = newest === undefined || isLeap(newest, today) ? today : Math.max(newest, today);
    if (noted !== newest) await workedDay.write(newest);
    noted = newest;
    if (isSaid) log.info('the clock is believed again: days end by it', { today });
    isSaid = false;
    return true;
  }

  return {
    believes: async (today) => {
      if (newest === undefined) {
        isGuess = (await workedDay.read()) === undefined;
        newest = await newestDayOf(deps, today);
      }
      if (!isLeap(newest, today)) return follow(today);
      const told = await workedDay.read(); // a person's word may have come since
      if (told !== undefined && !isLeap(told, today)) return follow(today);
      const days = deps.logDays?.();
      if (days && (passedDays(days, newest, today) || (isGuess && isSteady(days, today))))
        return follow(today);
      if (deps.logDays && days === undefined && ++roundsUnread < ROUNDS_TO_READ) return false;
      if (!isSaid) log.error(LEAPT, { today, newestDay: newest });
      isSaid = true;
      return false;
    },
  };
}

/** At a start the log may not have been read yet, and what it says is not to be run ahead of. */
const ROUNDS_TO_READ = 20;
const LEAPT =
  'the clock leapt, and no day ends by it: mend the clock, or say that it is right with firebreak authority retain --yes';

/** Whether the log's own times went from the one day to the other without a leap. */
function passedDays(log: LogDays, from: number, today: number): boolean {
  return from < today && log.steadySince <= from + MAX_CLOCK_STEP_DAYS && !isLeap(log.newest, today);
}

/** Whether they never leapt: no day has keys that is older than the log by much. */
const isSteady = ({ first, steadySince, newest }: LogDays, today: number): boolean =>
  steadySince === first && !isLeap(newest, today);
