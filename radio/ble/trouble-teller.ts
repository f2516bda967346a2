/** Says once that something does not work, and once that it does again, however often it is tried in between. */
import type { Log } from '../../protocol/log.js';

export interface TroubleWords {
  readonly failed: string;
  readonly works: string;
}

export class TroubleTeller {
  readonly #log: Log;
  readonly #words: TroubleWords;
  #isSaid = false;

  constructor(log: Log, words: TroubleWords) {
    this.#log = log;
    this.#words = words;
  }

  failed(error: unknown): void {
    if (!this.#isSaid) this.#log.warn(this.#words.failed, { reason: String(error) });
    this.#isSaid = true;
  }

  works(): void {
    if (this.#isSaid) this.#log.info(this.#words.works);
    this.#isSaid = false;
  }
}
