/** What every room knows of time. Implementations: host/clock-live.ts (wall or scaled), host/clock-virtual.ts. */
import type { UnixMs } from './brands.js';

export interface Clock {
  /** The time of the deployment (not of the host, when the deployment's clock is scaled or virtual). */
  nowMs(): UnixMs;
  /** Resolves `durationMs` of deployment time later; rejects with `signal.reason` when aborted. */
  sleep(durationMs: number, signal?: AbortSignal): Promise<void>;
}

/** Deployment time that passes, but says nothing of the day: it only goes on, whoever sets the host's clock. */
export interface Counter {
  nowMs(): number;
  /** Deployment ms per ms of the host. */
  readonly rate: number;
}

/** A clock, and what tells time that passed from a clock that was set. */
export interface CountedClock extends Clock {
  readonly counter: Counter;
}
