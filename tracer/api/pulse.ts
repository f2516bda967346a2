/** How a tracer keeps up with its ledger, noted while it does. */
import type { CatchUp, Progress } from '../follow/follower.js';
import { unlessAborted, withTimeLimit } from '../../host/time-limit.js';
import type { Standing } from './contract.js';
import { HttpRefusal, refusedBy } from './refusal.js';

/** Wall ms. */
const READ_ON_MS = 5000;
const RETRY_SECONDS = 5;

/** Where nothing is known to be left, the ledger was asked and has not said how far it is. */
const readingOn = (behind: number): HttpRefusal =>
  new HttpRefusal(
    503,
    'busy',
    behind === 0
      ? 'the ledger did not say in time whether it has anything new: ask again later, and see how it is with firebreak ledger status'
      : `the tracer is reading the ledger, ${behind} entries are not taken in yet: ask again later`,
    RETRY_SECONDS,
  );

/** A failure in words for anybody who may see health. */
function wordsFor(error: unknown): string {
  const { why, message } = refusedBy(error);
  return why !== undefined ? 'its log says why' : message;
}

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
  #size = 0;
  #grewMs: number | undefined;
  #readOnMs: number | undefined;
  /** Why reading on failed when it was tried last, in words for anybody. */
  #failure: string | undefined;

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
      if (size > this.#size) [this.#size, this.#grewMs] = [size, this.#nowMs()];
      onProgress?.(done, size);
    };
    try {
      const caughtUp = await this.#followed.catchUp(note, signal);
      this.#seen(0);
      [this.#readOnMs, this.#failure] = [this.#nowMs(), undefined];
      return caughtUp;
    } catch (error) {
      if (signal?.aborted !== true) this.#failure = wordsFor(error); // that nobody waits any more is no failure
      throw error;
    }
  }

  /**
   * Reads on for a question, for five seconds at most: whoever asks is told rather that answers would lack what is known. Throws
   * `busy` (503), what reading on throws, and what the signal was aborted with.
   */
  async readyFor(signal: AbortSignal, limitMs = READ_ON_MS): Promise<void> {
    const isLate = (error: unknown): boolean =>
      error instanceof DOMException && error.name === 'TimeoutError';
    await withTimeLimit(limitMs, [signal], (limit) =>
      unlessAborted(this.catchUp(undefined, limit), limit),
    ).catch((error: unknown) => {
      throw isLate(error) ? readingOn(this.#behind) : error;
    });
    signal.throwIfAborted(); // what is not wanted any more is not looked up
  }

  standing(): Standing {
    return {
      followsSinceMs: this.#followsSinceMs,
      ledgerSeenMs: this.#ledgerSeenMs,
      grewMs: this.#grewMs,
      behind: this.#behind,
      readOnMs: this.#readOnMs,
      failure: this.#failure,
    };
  }

  #seen(behind: number): void {
    this.#ledgerSeenMs = this.#nowMs();
    this.#behind = behind;
  }
}
