/**
 * Where it is said that a log was forked at the size it was cosigned at last. Anybody may show the same fork again and again:
 * each has a count of its own, so that no other line, and no other fork, keeps it from being said.
 */
import { LimitedLog } from '../host/limited-log.js';
import { toHex } from '../protocol/bytes.js';
import type { Log } from '../protocol/log.js';

/** Of one log at one size. Only who has its key can make more of them; those have one count together. */
const MAX_FORKS = 16;

export class ForkAlarms {
  readonly #log: Log;
  readonly #byRoot = new Map<string, LimitedLog>();
  readonly #beyond: LimitedLog;

  constructor(log: Log) {
    this.#log = log;
    this.#beyond = new LimitedLog(log);
  }

  /** For all that is said of the fork with this root. */
  of(root: Uint8Array): Log {
    const name = toHex(root);
    const known = this.#byRoot.get(name);
    if (known !== undefined) return known;
    if (this.#byRoot.size >= MAX_FORKS) return this.#beyond;
    const alarm = new LimitedLog(this.#log);
    this.#byRoot.set(name, alarm);
    return alarm;
  }

  /** For another size: says what was left out, and every fork is new again. */
  clear(): void {
    for (const alarm of this.#byRoot.values()) alarm.close();
    this.#byRoot.clear();
    this.#beyond.close();
  }
}
