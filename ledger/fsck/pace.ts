/** Lets other work, such as a signal to stop, have its turn during a long check, and says how far it is. */
import { setImmediate } from 'node:timers/promises';
import type { LiveRow } from './leveldb-rows.js';

const TURN_MS = 50;

export interface PaceOptions {
  /** `fraction` is 0..1 of this step, `undefined` where its length is not known. */
  readonly onProgress?: (step: string, fraction: number | undefined) => void;
  readonly signal?: AbortSignal;
}

/** Called with how much of a step is done, and awaited. */
export type Step = ReturnType<Pace['of']>;

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

/** Hands on each row, one after the other; how many there are is not known. */
export async function eachRow(
  rows: Iterable<LiveRow>,
  pace: Step,
  take: (row: LiveRow) => void,
): Promise<void> {
  let done = 0;
  for (const row of rows) {
    take(row);
    done += 1;
    await pace(done, Infinity);
  }
}
