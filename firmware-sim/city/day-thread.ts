/** One thread that makes days (day-worker.ts), as its owner sees it: a day asked for, a day made. */
import { once } from 'node:events';
import { endWorker, startWorker } from '../../host/start-worker.js';
import { withTimeLimit } from '../../host/time-limit.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { CitySettings } from './city-settings.js';
import type { DayReady, DayWanted } from './day-messages.js';

/** A day of sixteen million people takes two minutes. */
const PATIENCE_MS = 900_000;

export interface DayThread {
  /** One at a time. Throws `closed` when the thread failed or takes too long, and what the signal was aborted with. */
  make(day: number, signal: AbortSignal): Promise<DayReady>;
  end(): Promise<void>;
}

export function startDayThread(settings: CitySettings): DayThread {
  const worker = startWorker(new URL('./day-worker.js', import.meta.url), { workerData: settings });
  worker.on('error', () => {}); // whoever waits for a day hears of it
  return {
    async make(day, signal) {
      signal.throwIfAborted();
      worker.postMessage({ day } satisfies DayWanted);
      try {
        return await withTimeLimit(PATIENCE_MS, [signal], async (inTime) => {
          const [made] = (await once(worker, 'message', { signal: inTime })) as [DayReady];
          return made;
        });
      } catch (cause) {
        signal.throwIfAborted();
        const why = cause instanceof Error ? cause.message : String(cause);
        throw new FirebreakError('closed', `a day of the city could not be made: ${why}`, { cause });
      }
    },
    end: () => endWorker(worker),
  };
}
