/** The loop that moves an air along with a clock: step, sleep until the step's next instant or until woken, again. */
import type { Clock } from '../../protocol/clock.js';

/** A sleep does not notice that the clock is set meanwhile. */
const LONGEST_SLEEP_MS = 60_000;

export interface Pump {
  /** Something changed: step again soon. */
  wake(): void;
  /** Resolves when the loop has ended. */
  close(): Promise<void>;
}

/**
 * `step` does what is due at `nowMs` and returns when it wants to be called next, at the latest, or undefined for "when
 * woken".
 * A step that throws is a defect in this process, and the rejection is left to end it.
 */
export function startPump(clock: Clock, step: (nowMs: number) => number | undefined): Pump {
  let closed = false;
  let alarm = new AbortController();
  const loop = async (): Promise<void> => {
    while (!closed) {
      alarm = new AbortController();
      const nowMs = clock.nowMs();
      const nextMs = step(nowMs);
      await rest(clock, nextMs === undefined ? undefined : Math.ceil(nextMs - nowMs), alarm.signal);
    }
  };
  const done = Promise.resolve().then(loop);
  const close = (): Promise<void> => {
    closed = true;
    alarm.abort();
    return done;
  };
  return { wake: () => alarm.abort(), close };
}

function rest(clock: Clock, durationMs: number | undefined, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  if (durationMs !== undefined) {
    return clock.sleep(Math.min(durationMs, LONGEST_SLEEP_MS), signal).catch(() => undefined); // woken early
  }
  return new Promise((resolve) => signal.addEventListener('abort', () => resolve(), { once: true }));
}
