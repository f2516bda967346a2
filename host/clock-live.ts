/**
 * The deployment clock on a running machine: startMs + (wall − anchorWallMs) × rate. All processes of one data
 * folder are given the same three numbers and so agree on the time. Without settings it is the wall clock.
 */
import { asUnixMs } from '../protocol/brands.js';
import type { CountedClock } from '../protocol/clock.js';
import { FirebreakError } from '../protocol/errors.js';

export interface LiveClockSettings {
  /** Deployment time at the anchor, unix ms. */
  readonly startMs: number;
  /** Deployment ms per wall ms, more than 0. */
  readonly rate: number;
  /** Wall time of the anchor, unix ms. */
  readonly anchorWallMs: number;
}

/** Its counter stands still while the machine sleeps. */
export type LiveClock = CountedClock;

const WALL: LiveClockSettings = { startMs: 0, rate: 1, anchorWallMs: 0 };

/** setTimeout takes 31 bits of ms and fires at once beyond them; longer sleeps are cut into such pieces. */
const LONGEST_TIMER_MS = 2 ** 31 - 1;

/** Throws `input` for a rate that is not a positive number. */
export function liveClock(settings: Partial<LiveClockSettings> = {}): LiveClock {
  const { startMs, rate, anchorWallMs } = { ...WALL, ...settings };
  if (!Number.isFinite(rate) || rate <= 0) {
    throw new FirebreakError('input', `the clock rate must be a number above 0, not ${rate}`);
  }
  return {
    nowMs: () => asUnixMs(Math.max(0, Math.floor(startMs + (Date.now() - anchorWallMs) * rate))),
    sleep: (durationMs, signal) => sleepWall(durationMs / rate, signal),
    counter: { nowMs: () => Math.floor(performance.now() * rate), rate },
  };
}

/** Monotonic, so that a step of the host's clock neither cuts a sleep short nor stretches it. */
async function sleepWall(wallMs: number, signal: AbortSignal | undefined): Promise<void> {
  const endMs = performance.now() + wallMs;
  do {
    await pause(Math.min(Math.max(0, endMs - performance.now()), LONGEST_TIMER_MS), signal);
  } while (performance.now() < endMs);
}

function pause(ms: number, signal: AbortSignal | undefined): Promise<void> {
  return new Promise((resolve, reject) => {
    if (signal?.aborted) return reject(reasonOf(signal));
    const onAbort = (): void => {
      clearTimeout(timer);
      if (signal !== undefined) reject(reasonOf(signal));
    };
    const timer = setTimeout(() => {
      signal?.removeEventListener('abort', onAbort);
      resolve();
    }, Math.ceil(ms));
    signal?.addEventListener('abort', onAbort, { once: true });
  });
}

/** Waits `ms` of wall time, or until the signal aborts. */
export function pauseUntilStopped(ms: number, signal: AbortSignal): Promise<void> {
  return sleepWall(ms, signal).catch(() => undefined); // it rejects for nothing else
}

/** What the signal was aborted with, as an Error (a promise should reject with nothing else). */
export function reasonOf(signal: AbortSignal): Error {
  const reason: unknown = signal.reason;
  return reason instanceof Error ? reason : new FirebreakError('closed', `aborted: ${String(reason)}`);
}
