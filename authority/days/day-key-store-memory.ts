/** Day keys that live as long as the process. Copies go in and out, so that destroying a day leaves no live reference. */
import { FirebreakError } from '../../protocol/errors.js';
import { wipeKeys, type DayKeys } from '../../protocol/keys.js';
import type { CopySearch, DayKeyStore } from './day-key-store.js';

export function memoryDayKeyStore(): DayKeyStore {
  const byDay = new Map<number, DayKeys>();
  const destroyed = new Set<number>();
  return {
    get: async (day) => structuredClone(byDay.get(day)),
    put: async (keys) => {
      if (byDay.has(keys.day)) throw new FirebreakError('exists', `day ${keys.day} has keys already`);
      if (destroyed.has(keys.day))
        throw new FirebreakError('day', `the keys of day ${keys.day} are destroyed`);
      byDay.set(keys.day, structuredClone(keys));
    },
    setAside: async (day) => void byDay.delete(day),
    list: async () => [...byDay.keys()].sort((a, b) => a - b),
    whyUnread: async () => undefined,
    destroy: async (days) => {
      for (const day of days) {
        wipeKeys([byDay.get(day)].filter((keys) => keys !== undefined));
        byDay.delete(day);
        destroyed.add(day);
      }
      return NO_COPIES;
    },
    removeStray: async () => NO_COPIES,
  };
}

const NO_COPIES: CopySearch = { found: [], failure: undefined };
