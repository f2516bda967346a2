/**
 * Removes the payloads of pruned days from the store's files, in the background, one day after the other:
 * what the commit of an entry of type 10 began. A ledger that was stopped or killed in between goes on at its
 * next start.
 */
import { asError, FirebreakError } from '../protocol/errors.js';
import { silentLog, type Log } from '../protocol/log.js';
import type { DayRegister } from './store/day-record.js';
import type { Store } from './store/store.js';

const RETRY_PAUSE_MS = 600_000;
const FAILED = 'payloads of a pruned day could not be removed; it is tried again';

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

  /**
   * Why the first of the removals that failed in the last run did. They are tried again after ten minutes,
   * and at the next start.
   */
  get failure(): string | undefined {
    return this.#failure;
  }

  /**
   * Starts a run, unless one is under way or there is nothing to remove. Costs little: call it whenever a day
   * may have been pruned.
   */
  wake(): void {
    if (this.#end.signal.aborted || this.#running !== undefined || this.#retry !== undefined) return;
    if (this.#days.toRemove === 0) return;
    this.#running = this.#run().finally(() => (this.#running = undefined));
  }

  /**
   * Stops in the middle of a day if need be: that one still counts as not removed, and is done again at the
   * next start.
   */
  async close(): Promise<void> {
    this.#end.abort(new FirebreakError('closed', 'the ledger is closed'));
    clearTimeout(this.#retry);
    await this.#running;
  }

  /** Tries every day once, also after one that cannot be removed. Never rejects. */
  async #run(): Promise<void> {
    const { signal } = this.#end;
    const tried = new Set<number>();
    let failure: string | undefined;
    for (;;) {
      const day = this.#days.nextToRemove(tried);
      if (day === undefined || signal.aborted) break;
      tried.add(day);
      const why = await this.#remove(day);
      if (failure === undefined && why !== undefined) this.#log.warn(FAILED, { why });
      failure ??= why;
    }
    if (signal.aborted) return;
    this.#failure = failure;
    if (failure !== undefined) this.#retryLater();
  }

  /** Why it failed, unless that is because the ledger is closed. */
  async #remove(day: number): Promise<string | undefined> {
    const { signal } = this.#end;
    try {
      this.#days.keep(await this.#store.removePayloads(day, signal));
      return undefined;
    } catch (error) {
      return signal.aborted && error === signal.reason ? undefined : asError(error).message;
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
