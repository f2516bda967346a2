/** Says what a tag's disk does not do: not its path, which has the tag's number in it, and not once for each beacon. */
import { isToldByDoubling } from '../../host/limited-log.js';
import { systemWords } from '../../host/system-words.js';
import type { Log } from '../../protocol/log.js';

export class DiskTrouble {
  readonly #message: string;
  readonly #log: Log;
  #inARow = 0;

  constructor(message: string, log: Log) {
    this.#message = message;
    this.#log = log;
  }

  /** Does the work and says why it failed, the 1st, 2nd, 4th, 8th … time in a row. */
  try(work: () => void): void {
    try {
      work();
      this.#inARow = 0;
    } catch (error) {
      this.#inARow += 1;
      if (!isToldByDoubling(this.#inARow)) return;
      this.#log.error(this.#message, { reason: reasonOf(error), sofar: this.#inARow });
    }
  }
}

/** What went wrong, without the path with which the system ends its words. */
export function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return 'unknown';
  return systemWords(error) ?? error.message.replace(/ '\/.*$/, '');
}
