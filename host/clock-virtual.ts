/**
 * Virtual time: a discrete-event clock under which the same async code runs as fast as the machine allows.
 *
 * Time moves only in run(), advance() and drive(), from timer to timer. Between two timers the clock waits until
 * everything the last one set off has come to rest: promise chains run dry (one turn of the event loop sees to it),
 * and work that waits for something real (a disk, a socket) has ended, provided the clock knows of it: it is what a
 * `schedule` callback returned, or was handed to hold(). Everything else still pending is taken to wait for the clock.
 */
import { asUnixMs } from '../protocol/brands.js';
import type { UnixMs } from '../protocol/brands.js';
import type { Clock, CountedClock, Counter } from '../protocol/clock.js';
import { FirebreakError } from '../protocol/errors.js';
import { reasonOf } from './clock-live.js';
import { TimerHeap } from './timer-heap.js';

/** Nobody sets it, so its counter is its time. */
export interface VirtualClock extends CountedClock {
  /**
   * Calls back at `atMs` (at once when that is past) and lets no time pass before what it returns has settled; so
   * that work must not sleep on this clock. A rejection makes run() reject. Returns a function that cancels.
   */
  schedule(atMs: number, callback: Callback): () => void;
  /** Starts work that sleeps on this clock. A rejection makes run() reject. */
  spawn(task: () => Promise<void>): void;
  /** Time stands still while `work` is pending: for real I/O under virtual time. */
  hold<T>(work: Promise<T>): Promise<T>;
  /** Fires all that is due up to and including `untilMs`, in order of time and then insertion. */
  run(untilMs: number): Promise<void>;
  advance(byMs: number): Promise<void>;
  /** Lets time pass until `work` settles; rejects with `timeout` when that is not within `limitMs` of virtual time. */
  drive<T>(work: Promise<T>, limitMs?: number): Promise<T>;
}

type Callback = () => void | Promise<void>;

export interface VirtualClockSettings {
  /** Wall ms after which work that holds time still is taken to hang, and run() rejects with `timeout`. */
  readonly stallMs: number;
}

const DEFAULTS: VirtualClockSettings = { stallMs: 60_000 };
const YEAR_MS = 365 * 86_400_000;

export function virtualClock(startMs: number, settings: Partial<VirtualClockSettings> = {}): VirtualClock {
  return new DiscreteEventClock(asUnixMs(startMs), { ...DEFAULTS, ...settings });
}

/** Holds time still for `work` when the clock is a virtual one; on a live clock time cannot be held. */
export function holdTime<T>(clock: Clock, work: Promise<T>): Promise<T> {
  return clock instanceof DiscreteEventClock ? clock.hold(work) : work;
}

const STALLED =
  'virtual time stood still for too long: work that was scheduled or held never ended; work that sleeps on the clock is started with spawn()';

class DiscreteEventClock implements VirtualClock {
  readonly counter: Counter = { nowMs: () => this.nowMs(), rate: 1 };
  readonly #timers = new TimerHeap<Callback>();
  readonly #settings: VirtualClockSettings;
  #now: number;
  #held = 0;
  #failures: unknown[] = [];
  #running = false;
  #onRelease: (() => void) | undefined;

  constructor(startMs: number, settings: VirtualClockSettings) {
    this.#now = startMs;
    this.#settings = settings;
  }

  nowMs(): UnixMs {
    return asUnixMs(Math.floor(this.#now));
  }

  sleep(durationMs: number, signal?: AbortSignal): Promise<void> {
    return new Promise((resolve, reject) => {
      if (signal?.aborted) return reject(reasonOf(signal));
      const onAbort = (): void => {
        this.#timers.cancel(timer);
        if (signal !== undefined) reject(reasonOf(signal));
      };
      const timer = this.#timers.add(this.#now + Math.max(0, durationMs), () => {
        signal?.removeEventListener('abort', onAbort);
        resolve();
      });
      signal?.addEventListener('abort', onAbort, { once: true });
    });
  }

  schedule(atMs: number, callback: Callback): () => void {
    const timer = this.#timers.add(Math.max(atMs, this.#now), callback);
    return () => this.#timers.cancel(timer);
  }

  spawn(task: () => Promise<void>): void {
    task().catch((error: unknown) => this.#fail(error));
  }

  async hold<T>(work: Promise<T>): Promise<T> {
    this.#held += 1;
    try {
      return await work;
    } finally {
      this.#held -= 1;
      if (this.#held === 0) this.#onRelease?.();
    }
  }

  async run(untilMs: number): Promise<void> {
    if (!(untilMs >= this.#now)) {
      throw new FirebreakError('input', `virtual time does not run back: from ${this.#now} to ${untilMs}`);
    }
    await this.#exclusively(async () => {
      await this.#rest();
      for (let due = this.#timers.take(untilMs); due !== undefined; due = this.#timers.take(untilMs)) {
        await this.#fire(due.atMs, due.item);
      }
      this.#now = untilMs;
    });
  }

  advance(byMs: number): Promise<void> {
    return this.run(this.#now + byMs);
  }

  async drive<T>(work: Promise<T>, limitMs = YEAR_MS): Promise<T> {
    const untilMs = this.#now + limitMs;
    let settled = false;
    const mark = (): void => void (settled = true);
    const end = work.then(mark, mark);
    await this.#exclusively(async () => {
      for (await this.#rest(); !settled; await this.#rest()) await this.#step(untilMs, end);
    });
    return work;
  }

  async #step(untilMs: number, end: Promise<void>): Promise<void> {
    if (this.#timers.peek() === undefined) return this.#unlessStalled(end); // only something real can end it
    const due = this.#timers.take(untilMs);
    if (due === undefined)
      throw new FirebreakError('timeout', 'the work did not end within its virtual time');
    await this.#fire(due.atMs, due.item);
  }

  async #fire(atMs: number, callback: Callback): Promise<void> {
    this.#now = Math.max(this.#now, atMs);
    const work = callback();
    if (work !== undefined) this.hold(work).catch((error: unknown) => this.#fail(error));
    await this.#rest();
  }

  /** Waits until nothing moves at the present instant. */
  async #rest(): Promise<void> {
    await turn();
    while (this.#held > 0) {
      await this.#unlessStalled(new Promise<void>((resolve) => (this.#onRelease = resolve)));
      await turn();
    }
    if (this.#failures.length > 0) throw this.#failures.shift();
  }

  async #unlessStalled(work: Promise<void>): Promise<void> {
    let watchdog: NodeJS.Timeout | undefined;
    const stalled = new Promise<never>((_, reject) => {
      watchdog = setTimeout(() => reject(new FirebreakError('timeout', STALLED)), this.#settings.stallMs);
    });
    await Promise.race([work, stalled]).finally(() => clearTimeout(watchdog));
  }

  async #exclusively(work: () => Promise<void>): Promise<void> {
    if (this.#running) throw new FirebreakError('locked', 'the virtual clock is already running');
    this.#running = true;
    await work().finally(() => (this.#running = false));
  }

  /** Only the first few failures are kept: one is thrown per run, and the first is the one that tells. */
  #fail(error: unknown): void {
    if (this.#failures.length < 16) this.#failures.push(error);
  }
}

/** One turn of the event loop: every promise chain that waits for nothing outside has run dry by then. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
