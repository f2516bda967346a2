/**
 * What was asked in the last minutes: no request is answered twice while it is fresh, and no tag asks more often than that.
 * Times are wall ms, of a clock that may be set: what was noted more than a window ahead is as old. Bounded: only requests of
 * certified tags get this far.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { FirebreakError } from '../../protocol/errors.js';

const MAX_REMEMBERED = 65_536;
/** In one window. */
const MAX_PER_TAG = 8;

interface Ask {
  readonly tag: TagNumber;
  readonly hash: string;
  readonly atMs: number;
}

export class RecentAsks {
  readonly #windowMs: number;
  /** In the order of asking. */
  #asks: Ask[] = [];
  readonly #hashes = new Set<string>();
  readonly #counts = new Map<TagNumber, number>();

  /** What is further than `windowMs` from now is forgotten: such a request must be refused, being of another time. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /**
   * Notes a request. Throws `exists` for one that was noted before, `busy` for a tag that asked too often, and when too many
   * are remembered.
   */
  note(tag: TagNumber, hash: string, nowMs: number): void {
    this.#forgetAllButNear(nowMs);
    if (this.#hashes.has(hash))
      throw new FirebreakError('exists', 'this request came before: make a new one');
    const count = this.#counts.get(tag) ?? 0;
    const minutes = Math.ceil(this.#windowMs / 60_000);
    if (count >= MAX_PER_TAG)
      throw new FirebreakError(
        'busy',
        `this tag asked ${count} times in ${minutes} minutes; ask again later`,
      );
    if (this.#asks.length >= MAX_REMEMBERED)
      throw new FirebreakError('busy', 'too many tags ask at this time; ask again in a few minutes');
    this.#asks.push({ tag, hash, atMs: nowMs });
    this.#hashes.add(hash);
    this.#counts.set(tag, count + 1);
  }

  #forgetAllButNear(nowMs: number): void {
    const isNear = ({ atMs }: Ask): boolean => Math.abs(nowMs - atMs) <= this.#windowMs;
    const [first] = this.#asks;
    if (first === undefined || isNear(first)) return; // then the others are, or will soon be first
    for (const ask of this.#asks) if (!isNear(ask)) this.#forget(ask);
    this.#asks = this.#asks.filter(isNear);
  }

  #forget({ tag, hash }: Ask): void {
    this.#hashes.delete(hash);
    const count = (this.#counts.get(tag) ?? 1) - 1;
    if (count > 0) this.#counts.set(tag, count);
    else this.#counts.delete(tag);
  }
}
