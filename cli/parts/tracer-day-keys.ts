/**
 * The day keys of a data folder, as a tracer holds them: the authority makes them ahead of each day and destroys old ones while
 * the tracer runs. A day whose file cannot be read has none until it can: its reports wait, and the other days go on.
 */
import type { DayKeyStore } from '../../authority/days/day-key-store.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { wipeKeys } from '../../protocol/keys.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { Log } from '../../protocol/log.js';
import type { DayKeySource } from '../../tracer/intake/day-key-source.js';

/** `refresh` throws what keeps the days from being listed. Each file that cannot be read is said once, and that it can be again. */
export function dayKeysIn(store: Pick<DayKeyStore, 'list' | 'get'>, log: Log): DayKeySource {
  const known = new Map<number, DayKeys>();
  const unread = new Set<number>();

  async function read(day: number): Promise<void> {
    try {
      const keys = await store.get(day);
      if (keys) known.set(day, keys);
      if (keys && unread.delete(day)) log.info('the keys of a day can be read again', { day });
    } catch (error) {
      if (!unread.has(day)) log.warn(UNREAD, { day, ...whyOf(error) });
      unread.add(day);
    }
  }

  /** Nobody keeps what `of` gave beyond the report that is opened with it. */
  function forget(day: number, keys: DayKeys): void {
    wipeKeys([keys]);
    known.delete(day);
  }

  async function refresh(): Promise<void> {
    const days = new Set(await store.list());
    for (const [day, keys] of [...known]) if (!days.has(day)) forget(day, keys);
    for (const day of [...unread]) if (!days.has(day)) unread.delete(day);
    for (const day of days) if (!known.has(day)) await read(day);
  }

  return { of: (day) => known.get(day), refresh };
}

const UNREAD = 'the keys of a day cannot be read: its reports wait until they can';

function whyOf(error: unknown) {
  const why = asError(error).message;
  return error instanceof FirebreakError ? { code: error.code, why } : { why };
}
