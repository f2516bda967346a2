/**
 * Long work of a store stands aside while somebody waits for a trace: two busy threads share caches and memory,
 * and often one core, and a walk beside another thread takes up to twice as long.
 */

/** To be called every few thousand rows: goes on at once, unless a trace is being walked. */
export type StandAside = () => void;

/** For work that nobody has to wait for: never waits. */
export const standFast: StandAside = () => undefined;

/** How a task treats whoever else is on the machine. */
export interface TaskManners {
  /** Told how many people it is done with. */
  readonly onPeople?: ((people: number) => void) | undefined;
  readonly standAside?: StandAside;
}

/** However many traces are walked, the work takes at most twice as long as by itself, and this much longer. */
const GRACE_MS = 50;

/**
 * Waits until no trace is walked. `underWay`: how many are, in shared memory (walk-pool.ts); `now`: wall ms,
 * monotonic.
 */
export function standAsideFor(underWay: Int32Array, now = () => performance.now()): StandAside {
  const beganMs = now();
  let waitedMs = 0;
  return () => {
    if (Atomics.load(underWay, 0) === 0) return;
    const fromMs = now();
    const untilMs = fromMs + (fromMs - beganMs - waitedMs) + GRACE_MS - waitedMs;
    for (;;) {
      const [walks, nowMs] = [Atomics.load(underWay, 0), now()];
      if (walks === 0 || nowMs >= untilMs) break;
      Atomics.wait(underWay, 0, walks, untilMs - nowMs);
    }
    waitedMs += now() - fromMs;
  };
}
