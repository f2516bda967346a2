/**
 * Places for those who are heard, bounded, and dealt out so that forged senders do not crowd out real ones. Pure.
 *
 * Level k holds those heard 2^k times and more, up to level 10 (1,024 times). Each level is sure of an eleventh of the
 * places. When all are taken, a newcomer gets the place of whoever was heard longest ago in the lowest level that has more
 * than its share. With s the share:
 *
 * - a newcomer keeps its place when it is heard again before s others have come;
 * - who was heard 2^k times loses it only while more than s others were heard 2^k times too, all of them since: that costs
 *   2^k·s beacons.
 *
 * What an attacker can still do: look like a crowd, that is, send as often for each of more than s tags as a real tag does;
 * nobody can tell these from real ones without the authority's keys. And crowd out newcomers with more than s beacons, heard
 * here, for each of theirs. At 32,768 places s is 2,978; a channel holds 2,659 adverts of 31 bytes a second (47 bytes at
 * 1 Mbit/s: Bluetooth Core, Vol 6, Part B, 2.1), at which nobody else is heard either.
 */

const TOP_LEVEL = 10;
const LEVELS = TOP_LEVEL + 1;

export class FairPlaces<T> {
  readonly #maxPlaces: number;
  readonly #share: number;
  /** By key, in the order in which they were heard last. */
  readonly #levels = Array.from({ length: LEVELS }, () => new Map<string, T>());
  readonly #levelOf = new Map<string, number>();

  constructor(maxPlaces: number) {
    this.#maxPlaces = maxPlaces;
    this.#share = Math.floor((maxPlaces - 1) / LEVELS);
  }

  get size(): number {
    return this.#levelOf.size;
  }

  get(key: string): T | undefined {
    const level = this.#levelOf.get(key);
    return level === undefined ? undefined : this.#levels[level]?.get(key);
  }

  /** It has been heard so many times now, at least once. Whether somebody lost their place for it. */
  put(key: string, value: T, timesHeard: number): boolean {
    this.remove(key);
    const isFull = this.size >= this.#maxPlaces;
    if (isFull) this.#evict();
    const level = Math.min(TOP_LEVEL, 31 - Math.clz32(timesHeard));
    this.#levels[level]?.set(key, value);
    this.#levelOf.set(key, level);
    return isFull;
  }

  remove(key: string): void {
    const level = this.#levelOf.get(key);
    if (level === undefined) return;
    this.#levels[level]?.delete(key);
    this.#levelOf.delete(key);
  }

  /** Those heard most first; within a level in the order in which they were heard last. */
  entries(): (readonly [string, T])[] {
    return this.#levels.toReversed().flatMap((level) => [...level]);
  }

  /** When all places are taken some level has more than its share: the shares together are fewer than the places. */
  #evict(): void {
    const crowded = this.#levels.find(({ size }) => size > this.#share);
    const [oldest] = crowded?.keys() ?? [];
    if (oldest !== undefined) this.remove(oldest);
  }
}
