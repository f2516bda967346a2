/**
 * Removes the payloads of pruned days from the store's files, in the background, one day after the other: what the commit
 * of an entry of type 10 began. A ledger that was stopped or killed in between goes on at its next start.
 */
import { asError, FirebreakError } from '../protocol/errors.js';
import { silentLog, type Log } from '../protocol/log.js';
import type { DayRegister } from './store/day-record.js';
import type { Store } from './store/store.js';

const RETRY_PAUSE_MS = 600_000;

export class PayloadRemover {
  readonly #store: Pick<Store, 'removePayloads'>;
  readonly #days: DayRegister;
  readonly #log: Log;
  readonly #pauseMs: number;
  #running: Promise<void> | undefined;
  #failure: string | undefined;
  #retry: NodeJS.Timeout | undefined;
  readonly #end = new AbortController();

  constructor(
    store: Pick<Store, 'removePayloads'>,
    days: DayRegister,
    { log = silentLog, pauseMs = RETRY_PAUSE_MS }: { readonly log?: Log; readonly pauseMs?: number } = {},
  ) {
    this.#store = store;
    this.#days = days;
    this.#log = log;
    this.#pauseMs = pauseMs;
  }

  /** Why the last removal failed. It is tried again after ten minutes, and at the next start. */
  get failure(): string | undefined {
    return this.#failure;
  }

  /** Begins, unless it is at it or there is nothing to remove. To be called whenever a day may have been pruned: it costs little. */
  wake(): void {
    if (this.#end.signal.aborted || this.#running !== undefined || this.#retry !== undefined) return;
    if (this.#days.nextToRemove() === undefined) return;
    this.#running = this.#run().finally(() => (this.#running = undefined));
  }

  /** Ends within the day it is at, which is as it was then; the rest is for the next start. */
  async close(): Promise<void> {
    this.#end.abort(new FirebreakError('closed', 'the ledger is closed'));
    clearTimeout(this.#retry);
    await this.#running;
  }

  /** Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#end;
    try {
      for (let day = this.#days.nextToRemove(); day !== undefined && !signal.aborted;) {
        this.#days.keep(await this.#store.removePayloads(day, signal));
        day = this.#days.nextToRemove();
      }
      this.#failure = undefined;
    } catch (error) {
      if (signal.aborted && error === signal.reason) return;
      this.#failure = asError(error).message;
      this.#log.warn('payloads of a pruned day could not be removed; it is tried again', {
        why: this.#failure,
      });
      if (!signal.aborted) this.#retryLater();
    }
  }

  #retryLater(): void {
    const again = (): void => {
      this.#retry = undefined;
      this.wake();
    };
    this.#retry = setTimeout(again, this.#pauseMs).unref();
  }
}
