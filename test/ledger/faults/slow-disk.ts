/** The real disk with a database that takes its time, so that many commits wait together behind it. */
import { setTimeout as sleep } from 'node:timers/promises';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';

/** `delaysMs`: before calls of these names. */
export const slowDatabase = (delaysMs: Readonly<Record<string, number>>): Disk => ({
  ...NODE_DISK,
  database: (location, options) => {
    const db = NODE_DISK.database(location, options);
    return new Proxy(db, {
      get: (_, name) => {
        const value = Reflect.get(db, name, db) as unknown;
        if (typeof value !== 'function') return value;
        const call = (value as (...args: unknown[]) => unknown).bind(db);
        const delayMs = delaysMs[String(name)];
        if (delayMs === undefined) return call;
        return async (...args: unknown[]) => {
          await sleep(delayMs);
          return call(...args);
        };
      },
    });
  },
});
