/** Work done one after another. */
import { FirebreakError } from '../protocol/errors.js';

/** Calls, or notifications, that may wait on one connection; the next is refused with `full`. */
const MAX_WAITING = 64;

/** Work done one after another, with a bound on how much may wait. */
export class Lane {
  #waiting = 0;
  #last: Promise<unknown> = Promise.resolve();

  run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#waiting >= MAX_WAITING) {
      return Promise.reject(
        new FirebreakError('full', `${MAX_WAITING} calls already wait on this connection`),
      );
    }
    this.#waiting += 1;
    const mine = this.#last.then(work).finally(() => (this.#waiting -= 1));
    this.#last = mine.catch(() => undefined); // the caller has `mine`; the lane goes on
    return mine;
  }
}
