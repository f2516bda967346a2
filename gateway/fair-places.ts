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

/** In a ring by when it was heard last. The oldest of a Map would be slow to find: its iterator passes each place left since. */
class Place<T> {
  readonly key: string;
  readonly value: T;
  readonly level: Level<T>;
  before: Link<T>;
  after: Link<T>;

  constructor(key: string, value: T, level: Level<T>) {
    [this.key, this.value, this.level] = [key, value, level];
    [this.before, this.after] = [level.before, level];
    this.before.after = this.after.before = this;
    level.size += 1;
  }

  leave(): void {
    this.before.after = this.after;
    this.after.before = this.before;
    this.level.size -= 1;
  }
}

/** Where its ring begins and ends. */
class Level<T> {
  before: Link<T> = this;
  after: Link<T> = this;
  size = 0;

  get oldest(): Place<T> | undefined {
    return this.after instanceof Place ? this.after : undefined;
  }

  *[Symbol.iterator](): Generator<Place<T>> {
    for (let link = this.after; link instanceof Place; link = link.after) yield link;
  }
}

type Link<T> = Place<T> | Level<T>;

export class FairPlaces<T> {
  readonly #maxPlaces: number;
  readonly #share: number;
  readonly #levels = Array.from({ length: LEVELS }, () => new Level<T>());
  readonly #places = new Map<string, Place<T>>();

  constructor(maxPlaces: number) {
    this.#maxPlaces = maxPlaces;
    this.#share = Math.floor((maxPlaces - 1) / LEVELS);
  }

  get size(): number {
    return this.#places.size;
  }

  get(key: string): T | undefined {
    return this.#places.get(key)?.value;
  }

  /** It has been heard so many times now, at least once. Whether somebody lost their place for it. */
  put(key: string, value: T, timesHeard: number): boolean {
    this.remove(key);
    const isFull = this.size >= this.#maxPlaces;
    if (isFull) this.#evict();
    const level = this.#levels[Math.min(TOP_LEVEL, 31 - Math.clz32(timesHeard))];
    if (level !== undefined) this.#places.set(key, new Place(key, value, level));
    return isFull;
  }

  remove(key: string): void {
    this.#places.get(key)?.leave();
    this.#places.delete(key);
  }

  /** Those heard most first; within a level in the order in which they were heard last. */
  entries(): (readonly [string, T])[] {
    return this.#levels
      .toReversed()
      .flatMap((level) => [...level].map(({ key, value }) => [key, value] as const));
  }

  /** When all places are taken some level has more than its share: the shares together are fewer than the places. */
  #evict(): void {
    const crowded = this.#levels.find(({ size }) => size > this.#share);
    if (crowded?.oldest !== undefined) this.remove(crowded.oldest.key);
  }
}
