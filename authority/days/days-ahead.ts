/** Day keys ahead of their day. One day that cannot have keys must not keep the authority from all others. */
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { DayKeyring } from './day-keys.js';

export interface DaysAhead {
  /**
   * Makes and states the keys of the days [fromDay, toDay) that have none. A day whose keys are destroyed, or damaged, is
   * said once and passed over: the other days have theirs, and whoever mends it finds it taken up. Throws whatever else
   * making keys throws.
   */
  ensure(fromDay: number, toDay: number): Promise<void>;
  /** Says that a day has no keys, once. */
  say(day: number, why: FirebreakError): void;
}

/** Remembers which days were said. */
export function openDaysAhead(keyring: DayKeyring, log: Log): DaysAhead {
  const said = new Set<number>();
  function say(day: number, { message }: FirebreakError): void {
    if (!said.has(day)) log.error('a day has no keys, and is passed over', { day, why: message });
    said.add(day);
  }
  return {
    say,
    ensure: async (fromDay, toDay) => {
      for (const day of said) if (day < fromDay) said.delete(day);
      for (let day = fromDay; day < toDay; day += 1) {
        try {
          await keyring.keysOf(day);
          said.delete(day);
        } catch (error) {
          if (!isOfThisDay(error)) throw error;
          say(day, error);
        }
      }
    },
  };
}

const isOfThisDay = (error: unknown): error is FirebreakError =>
  error instanceof FirebreakError && (error.code === 'day' || error.code === 'damaged');

/**
 * Makes and states the keys of the days [fromDay, toDay) that have none. Throws `day` for a day before `oldest`: it may have
 * had keys, which are destroyed, and no day is stated with two.
 */
export async function makeDays(
  keyring: DayKeyring,
  { fromDay, toDay, oldest }: { readonly fromDay: number; readonly toDay: number; readonly oldest: number },
): Promise<void> {
  if (fromDay < oldest) {
    const why = `day ${fromDay} left the retention window, which begins with day ${oldest}`;
    throw new FirebreakError('day', why);
  }
  for (let day = fromDay; day < toDay; day += 1) await keyring.keysOf(day);
}
