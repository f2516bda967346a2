/**
 * The time that entries are dated by. What is in the log cannot be dated again, and no later entry may be
 * dated earlier: one entry dated by a clock that leapt ahead would hold every later one at that date until
 * real time has caught up. So a clock is doubted when it reads much more than the newest entry and the time
 * that passed since can explain, and nothing is appended until it is mended or a person says that it is
 * right. At a start only the newest entry is known.
 */
import { asUnixMs, type UnixMs } from '../../protocol/brands.js';
import type { CountedClock } from '../../protocol/clock.js';
import type { Log } from '../../protocol/log.js';
import { DAY_SECONDS, MAX_CLOCK_STEP_DAYS } from '../../protocol/time.js';
import type { LogState } from '../store/store.js';

/** A clock may be ahead of what can be explained by this much, in ms of its host. */
const MAX_STEP_MS = MAX_CLOCK_STEP_DAYS * DAY_SECONDS * 1000;

export interface AppendClockDeps {
  readonly clock: CountedClock;
  /** What the clock read when a person last said that it is right, unix ms. Asked only while the clock is doubted. */
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
    // A clock that is behind the log explains nothing: time goes on being counted from the last reading that was not.
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

  /** A deployment's clock that runs faster than its host's makes a leap of that one larger by as much. */
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
  'the clock leapt, so nothing is taken in: writers keep what they have. Mend the clock, or say that it is right with ' +
  'firebreak ledger clock --data-dir DIR --yes';

const dateOf = (ms: number): string => {
  const date = new Date(ms);
  return Number.isNaN(date.getTime()) ? `${ms} ms` : date.toISOString();
};
