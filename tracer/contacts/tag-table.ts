/**
 * Tags of one day as small numbers, to count by and to look up with. Where tag numbers are given out one after
 * another, as in a made-up city, that is a subtraction; where they lie far apart, a search.
 */

/** Numbers of tags are used as they are, when they do not span more than this many times the contacts. */
const DENSE = 8;

export interface CountedTags {
  /** Ascending. */
  readonly tags: Uint32Array<ArrayBuffer>;
  /** By tag: how many entries it has. */
  readonly counts: Uint32Array<ArrayBuffer>;
}

/** Every tag on either side of some contacts, and how often it is there. */
export function countTags(lower: Uint32Array, upper: Uint32Array): CountedTags {
  const span = spanOf(lower, upper);
  if (span.size > DENSE * lower.length) return countSorted(lower, upper);
  const counts = new Uint32Array(span.size);
  for (const side of [lower, upper])
    for (let k = 0; k < side.length; k++) counts[side[k]! - span.least]! += 1;
  let found = 0;
  for (const count of counts) if (count > 0) found += 1;
  const [tags, ofTag] = [new Uint32Array(found), new Uint32Array(found)];
  for (let i = 0, at = 0; i < counts.length; i++)
    if (counts[i]! > 0) {
      tags[at] = span.least + i;
      ofTag[at++] = counts[i]!;
    }
  return { tags, counts: ofTag };
}

function spanOf(lower: Uint32Array, upper: Uint32Array): { readonly least: number; readonly size: number } {
  let [least, greatest] = [Infinity, -1];
  for (let k = 0; k < lower.length; k++) {
    if (lower[k]! < least) least = lower[k]!;
    if (upper[k]! > greatest) greatest = upper[k]!;
  }
  return { least, size: Math.max(0, greatest + 1 - least) };
}

function countSorted(lower: Uint32Array, upper: Uint32Array): CountedTags {
  const all = new Uint32Array(2 * lower.length);
  all.set(lower);
  all.set(upper, lower.length);
  all.sort();
  const [tags, counts] = [new Uint32Array(all.length), new Uint32Array(all.length)];
  let found = 0;
  for (let k = 0; k < all.length; k++) {
    if (k === 0 || all[k] !== all[k - 1]) tags[found++] = all[k]!;
    counts[found - 1]! += 1;
  }
  return { tags: tags.slice(0, found), counts: counts.slice(0, found) };
}

export interface PlacedTags extends CountedTags {
  /** By tag: its person, ascending. */
  readonly persons: Uint32Array;
  /** By tag: the entry of the segment that its first contact of the day goes to. */
  readonly places: Uint32Array;
}

/** The person of each tag, and the next free row of those that each has among the entries of the day. */
export class TagRows {
  readonly #tags: Uint32Array;
  readonly #least: number;
  readonly #isDense: boolean;
  /** person | next row, by number of the tag. */
  readonly table: Uint32Array<ArrayBuffer>;

  constructor({ tags, counts, persons }: PlacedTags) {
    this.#tags = tags;
    this.#least = tags[0] ?? 0;
    const size = (tags.at(-1) ?? -1) + 1 - this.#least;
    this.#isDense = size <= DENSE * tags.length;
    this.table = new Uint32Array(2 * (this.#isDense ? size : tags.length));
    let row = 0;
    for (let i = 0; i < tags.length; i++) {
      const at = this.find(tags[i]!);
      this.table[at] = persons[i]!;
      this.table[at + 1] = row;
      row += counts[i]!;
    }
  }

  /** Where in the table the words of this tag are: one of those given. */
  find(tag: number): number {
    return 2 * (this.#isDense ? tag - this.#least : this.#search(tag));
  }

  #search(tag: number): number {
    let [low, high] = [0, this.#tags.length];
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (this.#tags[middle]! < tag) low = middle + 1;
      else high = middle;
    }
    return low;
  }
}
