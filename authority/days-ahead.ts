/** Day keys ahead of their day. One day that cannot have keys must not keep the authority from all others. */
import { FirebreakError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';
import type { DayKeyring } from './day-keys.js';

export interface DaysAhead {
  /**
   * Makes and states the keys of the days [fromDay, toDay) that have none. A day whose keys are destroyed, or damaged, is
   * said once and passed over: the other days have theirs, and whoever mends it finds it taken up. Throws whatever else
   * making keys throws.
   */
  ensure(fromDay: number, toDay: number): Promise<void>;
}

/** Remembers which days were said. */
export function openDaysAhead(keyring: DayKeyring, log: Log): DaysAhead {
  const said = new Set<number>();
  return {
    ensure: async (fromDay, toDay) => {
      for (const day of said) if (day < fromDay) said.delete(day);
      for (let day = fromDay; day < toDay; day += 1) {
        try {
          await keyring.keysOf(day);
          said.delete(day);
        } catch (error) {
          if (!isOfThisDay(error)) throw error;
          if (!said.has(day)) log.error('a day has no keys, and is passed over', { day, why: error.message });
          said.add(day);
        }
      }
    },
  };
}

const isOfThisDay = (error: unknown): error is FirebreakError =>
  error instanceof FirebreakError && (error.code === 'day' || error.code === 'damaged');
