/**
 * What a writer's log says of its broker, which may be gone for weeks while one try follows another. Until a
 * connection lasts, the 1st, 2nd, 4th, 8th … failure of each reason is logged; and that the broker is back,
 * once after each failure that was.
 */
import { isToldByDoubling } from '../host/limited-log.js';
import { FirebreakError } from '../protocol/errors.js';
import type { Log } from '../protocol/log.js';

/** Further reasons are counted as one: others word them, and could word them anew each time. */
const MAX_REASONS = 8;

interface LostConnection {
  readonly reason: Error;
  readonly wasOnline: boolean;
  readonly againInMs: number;
}

export class BrokerNews {
  readonly #broker: string;
  readonly #log: Log;
  readonly #counts = new Map<string, number>();
  /** Failures since there last was a connection. */
  #failures = 0;
  #isBackTold = false;

  constructor(broker: string, log: Log) {
    this.#broker = broker;
    this.#log = log;
  }

  /** The connection that ended had lasted: failures are counted, and logged, from the first on again. */
  newSpell(): void {
    this.#counts.clear();
  }

  gone({ reason, wasOnline, againInMs }: LostConnection): void {
    this.#failures = wasOnline ? 0 : this.#failures + 1;
    const message = `${wasOnline ? 'the broker is gone' : whyNot(reason)}; trying again`;
    const why = reason.message;
    const times = this.#count(`${message} ${why}`);
    if (!isToldByDoubling(times)) return;
    this.#isBackTold = false;
    this.#log.warn(message, { broker: this.#broker, why, times, againInMs });
  }

  back(): void {
    const failures = this.#failures;
    this.#failures = 0;
    if (this.#isBackTold) return;
    this.#isBackTold = true;
    this.#log.info('connected to the broker', {
      broker: this.#broker,
      ...(failures > 0 && { afterFailures: failures }),
    });
  }

  #count(what: string): number {
    const key = this.#counts.has(what) || this.#counts.size < MAX_REASONS ? what : '';
    const count = (this.#counts.get(key) ?? 0) + 1;
    this.#counts.set(key, count);
    return count;
  }
}

/** Why there is no connection, and where it is not in the reason, what to do. */
export const whyNot = (reason: Error): string =>
  reason instanceof FirebreakError && reason.code === 'permission'
    ? 'the broker refuses this writer'
    : 'the broker cannot be reached: see that it runs, and that this is its address';
