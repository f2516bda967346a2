/**
 * The time that entries are dated by. What is in the log cannot be dated again, and no later entry may be dated earlier, so
 * one entry by a clock that leapt would date the log for as long as the leap. A clock is doubted when it reads much more
 * than the newest entry and the time that passed since explain; nothing is appended by it until it is mended, or a person
 * says that it is right. Of the time before a start nothing is known but the newest entry.
 */
import { asUnixMs, type UnixMs } from '../../protocol/brands.js';
import type { CountedClock } from '../../protocol/clock.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS, MAX_CLOCK_STEP_DAYS } from '../../protocol/time.js';
import type { LogState } from '../store/store.js';

/** A clock may be further on than can be explained by as much of its machine's time. */
const MAX_STEP_MS = MAX_CLOCK_STEP_DAYS * DAY_SECONDS * 1000;

export interface AppendClockDeps {
  readonly clock: CountedClock;
  /** What the clock read when a person last said that it is right, unix ms. Asked while it is doubted. */
  readonly saidRightMs?: (() => number | undefined) | undefined;
  readonly log: Log;
}

/** A clock that is not believed: what it reads, and the time of the newest entry, unix ms. */
export interface ClockDoubt {
  readonly clockMs: number;
  readonly newestMs: number;
}

type Newest = Pick<LogState, 'size' | 'lastAppendedMs'>;

export class AppendClock {
  readonly #deps: AppendClockDeps;
  /** The last reading that was believed and not behind the log, and the counter at that time. */
  #believed: { readonly clockMs: number; readonly counterMs: number };
  #isDoubted = false;

  /** `newest`: the log as the ledger finds it at its start. Says it at once when the clock is doubted. */
  constructor(deps: AppendClockDeps, newest: Newest) {
    this.#deps = deps;
    this.#believed = { clockMs: newest.lastAppendedMs, counterMs: deps.clock.counter.nowMs() };
    this.doubt(newest);
  }

  /** The time for what is appended now, not before the newest entry; `undefined` while the clock is doubted. */
  timeAfter(newest: Newest): UnixMs | undefined {
    const nowMs = this.#deps.clock.nowMs();
    if (this.#judge(newest, nowMs) !== undefined) return undefined;
    // One that is behind the log tells nothing of when it will be right again: the time that passes from then on still counts.
    if (nowMs >= newest.lastAppendedMs) this.#believe(nowMs);
    return asUnixMs(Math.max(newest.lastAppendedMs, nowMs));
  }

  /** Why nothing is appended, if so. */
  doubt(newest: Newest): ClockDoubt | undefined {
    return this.#judge(newest, this.#deps.clock.nowMs());
  }

  #judge(newest: Newest, nowMs: UnixMs): ClockDoubt | undefined {
    const isLeap = newest.size > 0 && nowMs > this.#expectedMs(newest) + this.#stepMs;
    if (isLeap && !this.#isSaidRight(nowMs)) {
      const doubt = { clockMs: nowMs, newestMs: newest.lastAppendedMs };
      this.#sayOnce(doubt);
      return doubt;
    }
    if (isLeap) this.#believe(nowMs);
    if (this.#isDoubted) this.#deps.log.info('the clock is believed: entries are dated by it again');
    this.#isDoubted = false;
    return undefined;
  }

  /** A clock that runs faster than its machine's makes that much more of a leap of it. */
  get #stepMs(): number {
    return MAX_STEP_MS * Math.max(1, this.#deps.clock.counter.rate);
  }

  #expectedMs({ lastAppendedMs }: Newest): number {
    const { clockMs, counterMs } = this.#believed;
    return Math.max(lastAppendedMs, clockMs + this.#deps.clock.counter.nowMs() - counterMs);
  }

  #isSaidRight(nowMs: number): boolean {
    const saidMs = this.#deps.saidRightMs?.();
    return saidMs !== undefined && Math.abs(nowMs - saidMs) <= this.#stepMs;
  }

  #believe(clockMs: number): void {
    this.#believed = { clockMs, counterMs: this.#deps.clock.counter.nowMs() };
  }

  #sayOnce({ clockMs, newestMs }: ClockDoubt): void {
    if (!this.#isDoubted) this.#deps.log.error(LEAPT, { clock: dateOf(clockMs), newest: dateOf(newestMs) });
    this.#isDoubted = true;
  }
}

const LEAPT =
  'the clock leapt, so nothing is taken in: writers keep what they have. Mend the clock, or say that it is right with firebreak ledger clock --data-dir DIR --yes';

const dateOf = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
};
