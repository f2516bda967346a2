/**
 * Finds the entries that a walk will look at next, for a stretch of people at once, and reads their columns before any of
 * them is wanted. Rows lie all over the memory: a loop that does nothing else waits for many of them at a time, and a walk
 * over few close contacts takes a sixth less for it.
 */
import { firstFrom, MAX_CONTACT_SECONDS, rowEnd } from '../contacts/segment.js';
import type { Segment } from '../contacts/segment.js';
import type { LiveTable } from '../contacts/view.js';
import { newestLink } from './class-seconds.js';
import type { Ground } from './ground.js';
import { startsOpen } from './lens.js';
import type { Lens } from './lens.js';
import type { WalkWorkspace } from './workspace.js';

/** An infector, whom a keeper is told of before the contacts; open in the lens from `ready` on and before `until`. */
export interface Opening {
  readonly person: number;
  readonly ready: number;
  readonly until: number;
}

/** People at once: what they make the processor hold must fit its nearest caches. */
export const STRETCH = 64;
/** Of a longer row the processor's own reading ahead does as well. */
const MOST_ENTRIES = 512;
/** Of a person in a live table. */
const MOST_LINKS = 64;
/** Entries of four bytes in a line of the cache. */
const LINE = 16;

export class RowsAhead {
  readonly #segments: readonly Segment[];
  readonly #live: readonly LiveTable[];
  readonly #lens: Lens;
  /** By opening and segment: the first entry to look at, and the one after the last. */
  readonly #from: Uint32Array;
  readonly #to: Uint32Array;
  /** In a live table: of each opening the link that is next. */
  readonly #links = new Int32Array(STRETCH);
  readonly #space: WalkWorkspace;

  /** What begins before this, unix seconds, is past retention. */
  readonly #oldest: number;

  constructor({ tables: { segments, live }, lens, space, view }: Ground) {
    this.#segments = segments;
    this.#live = live;
    this.#lens = lens;
    this.#space = space;
    this.#oldest = view.keepFrom - MAX_CONTACT_SECONDS;
    this.#from = new Uint32Array(STRETCH * segments.length);
    this.#to = new Uint32Array(STRETCH * segments.length);
  }

  /** Of the opening with this index in those read last, the first entry to look at in a segment, by its index. */
  from(opening: number, table: number): number {
    return this.#from[opening * this.#segments.length + table]!;
  }
  /** The entry after the last one. */
  to(opening: number, table: number): number {
    return this.#to[opening * this.#segments.length + table]!;
  }

  /** At most {@link STRETCH}. */
  read(openings: readonly Opening[]): void {
    for (const table of this.#live) this.#touchLinks(table, openings);
    for (const segment of this.#segments) this.#touchStarts(segment, openings);
    for (let k = 0; k < openings.length; k++) this.#find(openings[k]!, k);
    for (let table = 0; table < this.#segments.length; table++) this.#touchColumns(table, openings.length);
  }

  /** From link to link there is nothing to be done but wait: so for all of them side by side. */
  #touchLinks({ head, next, nearInDay }: LiveTable, openings: readonly Opening[]): void {
    const links = this.#links;
    for (let k = 0; k < openings.length; k++) links[k] = newestLink(head, openings[k]!.person);
    let sum = 0;
    for (let step = 0, open = openings.length; open > 0 && step < MOST_LINKS; step++) {
      open = 0;
      for (let k = 0; k < openings.length; k++) {
        const link = links[k]!;
        if (link < 0) continue;
        sum ^= nearInDay[link >> 1]!;
        links[k] = next[link]! - 1;
        open += 1;
      }
    }
    this.#space.touched ^= sum;
  }

  #touchStarts(segment: Segment, openings: readonly Opening[]): void {
    const { rows, startSignal, people } = segment;
    let sum = 0;
    for (let k = 0; k < openings.length; k++) sum ^= rows[Math.min(openings[k]!.person, people)]!;
    for (let k = 0; k < openings.length; k++) {
      const { person } = openings[k]!;
      if (person >= people) continue;
      const begin = rows[person]!;
      const end = Math.min(rows[person + 1]!, begin + MOST_ENTRIES);
      for (let e = begin; e < end; e += LINE) sum ^= startSignal[e]!;
    }
    this.#space.touched ^= sum;
  }

  #find({ person, ready, until }: Opening, k: number): void {
    const { first, last } = startsOpen(this.#lens, ready, until, MAX_CONTACT_SECONDS);
    const oldest = Math.max(first, this.#oldest);
    let at = k * this.#segments.length;
    for (const segment of this.#segments) {
      this.#from[at] = fromEntry(segment, person, oldest);
      this.#to[at++] = toEntry(segment, person, last);
    }
  }

  #touchColumns(table: number, openings: number): void {
    const { peer, span, nearInDay, weight } = this.#segments[table]!;
    let sum = 0;
    for (let k = 0; k < openings; k++) {
      const begin = this.from(k, table);
      const end = Math.min(this.to(k, table), begin + MOST_ENTRIES);
      for (let e = begin; e < end; e += LINE) sum ^= peer[e]!;
      for (let e = begin; e < end; e += 2 * LINE) sum ^= span[e]! ^ nearInDay[e]! ^ weight[e]!;
    }
    this.#space.touched ^= sum;
  }
}

const fromEntry = (segment: Segment, person: number, first: number): number =>
  first <= segment.baseSeconds && person < segment.people
    ? segment.rows[person]!
    : firstFrom(segment, person, first);
const toEntry = (segment: Segment, person: number, last: number): number =>
  last >= segment.lastSeconds ? rowEnd(segment, person) : firstFrom(segment, person, last + 1);
