/** How a tracer keeps up with its ledger, noted while it does. */
import type { CatchUp, Progress } from '../follower.js';
import type { Standing } from './contract.js';

interface Followed {
  catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp>;
}

/** Reads on like what it is made of, and remembers how that went. */
export class Pulse implements Followed {
  readonly #followed: Followed;
  readonly #nowMs: () => number;
  readonly #followsSinceMs: number;
  #ledgerSeenMs: number | undefined;
  #behind = 0;

  /** `nowMs`: the wall clock. */
  constructor(followed: Followed, nowMs: () => number) {
    this.#followed = followed;
    this.#nowMs = nowMs;
    this.#followsSinceMs = nowMs();
  }

  /** Throws what reading on throws. */
  async catchUp(onProgress?: Progress, signal?: AbortSignal): Promise<CatchUp> {
    const note = (done: number, size: number): void => {
      this.#seen(size - done);
      onProgress?.(done, size);
    };
    const caughtUp = await this.#followed.catchUp(note, signal);
    this.#seen(0);
    return caughtUp;
  }

  standing(): Standing {
    return { followsSinceMs: this.#followsSinceMs, ledgerSeenMs: this.#ledgerSeenMs, behind: this.#behind };
  }

  #seen(behind: number): void {
    this.#ledgerSeenMs = this.#nowMs();
    this.#behind = behind;
  }
}
