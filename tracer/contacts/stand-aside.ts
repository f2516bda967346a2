/**
 * Long work of a store makes way for whoever waits for an answer. While a trace is walked it stands aside: two busy threads share
 * caches and memory, and often one core. In between it rests most of the time: where all cores are busy, a thread that is sent
 * something begins when the slice of another is over, which takes up to 4 ms, and a question is sent there and back.
 */
import { setTimeout as pause } from 'node:timers/promises';

/** To be called every few thousand rows: goes on at once, unless a trace is being walked or it is time for a rest. */
export type StandAside = () => void;

/** Where nobody waits. */
export const standFast: StandAside = () => undefined;

/** How a task goes about its work. */
export interface TaskManners {
  /** Told how many people it is done with. */
  readonly onPeople?: ((people: number) => void) | undefined;
  readonly standAside?: StandAside;
}

/** Work between two rests. */
export const WORK_MS = 1;
const REST_MS = 3;
/** However many traces there are: the work takes at most twice as long for them, and this. */
const GRACE_MS = 50;

/** Set while somebody waits for the work itself: it does not rest then. */
export class Haste {
  /** 1 while it is set, in memory that threads share. */
  readonly word = new Int32Array(new SharedArrayBuffer(4));

  set isOn(isOn: boolean) {
    Atomics.store(this.word, 0, Number(isOn));
    if (isOn) Atomics.notify(this.word, 0);
  }

  /** For work on the thread that also answers. */
  async rest(): Promise<void> {
    if (Atomics.load(this.word, 0) === 0) await pause(REST_MS);
  }
}

/** Who waits: each a word in shared memory. */
export interface Waiting {
  /** How many traces are being walked (walk-pool.ts). */
  readonly walks: Int32Array;
  readonly haste: Haste['word'];
}

/** For a thread of its own: waits until no trace is walked, or rests when it is time. `now`: wall ms, monotonic. */
export function standAsideFor({ walks, haste }: Waiting, now = () => performance.now()): StandAside {
  let [workedMs, asideMs, sinceMs] = [0, 0, now()];
  return () => {
    const fromMs = now();
    const isWalked = Atomics.load(walks, 0) > 0;
    if (!isWalked && fromMs - sinceMs < WORK_MS) return;
    workedMs += fromMs - sinceMs;
    if (isWalked) asideMs += whileWalked(walks, fromMs, fromMs + workedMs + GRACE_MS - asideMs, now);
    else Atomics.wait(haste, 0, 0, REST_MS);
    sinceMs = now();
  };
}

/** How long it waited. */
function whileWalked(walks: Int32Array, fromMs: number, untilMs: number, now: () => number): number {
  for (;;) {
    const [walked, nowMs] = [Atomics.load(walks, 0), now()];
    if (walked === 0 || nowMs >= untilMs) return nowMs - fromMs;
    Atomics.wait(walks, 0, walked, untilMs - nowMs);
  }
}
