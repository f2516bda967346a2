/**
 * What was asked in the last minutes: no request is answered twice while it is fresh, and no tag asks more often than that.
 * Times are wall ms. Bounded: only requests of certified tags get this far.
 */
import type { TagNumber } from '../protocol/brands.js';
import { FirebreakError } from '../protocol/errors.js';

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
  /** Oldest first. */
  #asks: Ask[] = [];
  readonly #hashes = new Set<string>();
  readonly #counts = new Map<TagNumber, number>();

  /** What is older than `windowMs` is forgotten: a request that old must be refused for its age. */
  constructor(windowMs: number) {
    this.#windowMs = windowMs;
  }

  /**
   * Notes a request. Throws `exists` for one that was noted before, `busy` for a tag that asked too often, and when too many
   * are remembered.
   */
  note(tag: TagNumber, hash: string, nowMs: number): void {
    this.#forgetBefore(nowMs - this.#windowMs);
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

  #forgetBefore(ms: number): void {
    const firstKept = this.#asks.findIndex(({ atMs }) => atMs >= ms);
    const old = firstKept < 0 ? this.#asks : this.#asks.slice(0, firstKept);
    if (old.length === 0) return;
    for (const { tag, hash } of old) {
      this.#hashes.delete(hash);
      const count = (this.#counts.get(tag) ?? 1) - 1;
      if (count > 0) this.#counts.set(tag, count);
      else this.#counts.delete(tag);
    }
    this.#asks = this.#asks.slice(old.length);
  }
}
