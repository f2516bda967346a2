/** Lets other work, such as a signal to stop, have its turn during a long check, and says how far it is. */
import { setImmediate } from 'node:timers/promises';

const TURN_MS = 50;

export interface PaceOptions {
  /** `fraction` is 0..1 of this step, `undefined` where its length is not known. */
  readonly onProgress?: (step: string, fraction: number | undefined) => void;
  readonly signal?: AbortSignal;
}

export class Pace {
  readonly #options: PaceOptions;
  #turnedMs = performance.now();

  constructor(options: PaceOptions) {
    this.#options = options;
  }

  /** To be called often, and awaited. It throws when the check is to stop. */
  of(step: string): (done: number, size: number) => Promise<void> | undefined {
    return (done, size) => {
      if (performance.now() - this.#turnedMs < TURN_MS) return undefined;
      return this.#turn(step, Number.isFinite(size) && size > 0 ? done / size : undefined);
    };
  }

  async #turn(step: string, fraction: number | undefined): Promise<void> {
    this.#options.onProgress?.(step, fraction);
    await setImmediate();
    this.#options.signal?.throwIfAborted();
    this.#turnedMs = performance.now();
  }
}
