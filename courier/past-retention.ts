/**
 * Whether a report was received so long ago that no key opens it any more. What is given up for that is lost,
 * so the answer never rests on one reading of one clock: a clock that leapt ahead is followed no further than
 * one step and the time that passed since the start, and nothing is given up while something else says that
 * the clock is wrong. Waiting too long costs room, and no report.
 */
import type { CountedClock } from '../protocol/clock.js';
import { DAY_SECONDS, MAX_CLOCK_STEP_DAYS } from '../protocol/time.js';

const DAY_MS = DAY_SECONDS * 1000;

export interface PastRetentionDeps {
  readonly clock: CountedClock;
  readonly retentionDays: number;
  /** Asked before anything is given up; absent: nothing else is known of the time. */
  readonly mayClockBeRight?: (() => boolean) | undefined;
}

/** A check of times in unix ms. The clock is believed as it reads when this is called. */
export function pastRetention(deps: PastRetentionDeps): (timeMs: number) => boolean {
  const { clock, retentionDays, mayClockBeRight = () => true } = deps;
  const { counter } = clock;
  const windowMs = (retentionDays + 1) * DAY_MS;
  const stepMs = MAX_CLOCK_STEP_DAYS * DAY_MS * Math.max(1, counter.rate);
  const latestMs = clock.nowMs() - counter.nowMs() + stepMs; // when the counter reads 0
  return (timeMs) => {
    const nowMs = Math.min(clock.nowMs(), latestMs + counter.nowMs());
    return nowMs - timeMs > windowMs && mayClockBeRight();
  };
}
