/**
 * How often each tag asked today, with success or without: an answer is hundreds of signatures, and a tag that repeats itself
 * costs no more than this many of them. In memory, and forgotten when the day turns. Bounded: only tags that are enrolled get this far.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';

const MAX_ASKS = 32;

export class DailyCount {
  readonly #counts = new Map<TagNumber, number>();
  #day = -1;

  /** Counts one more. Throws `busy` for a tag that asked too often on this day. */
  note(tag: TagNumber, day: number): void {
    if (day !== this.#day) this.#counts.clear();
    this.#day = day;
    const count = this.#counts.get(tag) ?? 0;
    if (count >= MAX_ASKS)
      throw new FirebreakError(
        'busy',
        `this tag asked for credentials ${MAX_ASKS} times today; it may ask again tomorrow`,
      );
    this.#counts.set(tag, count + 1);
  }
}
