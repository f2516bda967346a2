/**
 * Close contacts by another class of attenuation than near, or by more seconds than nearInDay counts to (tracing.md,
 * "Contact"): the pair's seconds of the class over the 24 hours up to the contact's end, summed when a walk asks. Of a pair that is asked
 * after all contacts are found at once, by columns that are in memory.
 */
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import {
  endAt,
  firstEndingFrom,
  MAX_CONTACT_SECONDS,
  nearSecondsAt,
  rowEnd,
  rowLength,
  startAt,
} from '../contacts/segment.js';
import { AskerError } from '../asker-error.js';
import type { Segment } from '../contacts/segment.js';
import { isReplaced, isVisible } from '../contacts/view.js';
import type { ContactView, LiveTable } from '../contacts/view.js';
import type { AttenuationClass } from './lens.js';
import type { Pace } from './pace.js';

/** Seconds of immediate, near, medium and other of an entry of a segment; it may read them from a disk. */
export type BucketsOf = (segment: Segment, entry: number) => BucketSeconds;

/** Contacts kept, a pair being as many as {@link PAIR}: each may be asked after in every round, and from both sides. */
const MOST_KEPT = 2_000_000;
const PAIR = 10;
const TABLE = 2 ** 32;
const UNREAD = -1;
/** A look at evidence, which may be read from a disk, takes as long as a walk over so many entries. */
const STEPS_A_LOOK = 256;

export interface ClassQuestion {
  readonly attenuation: AttenuationClass;
  readonly minSeconds: number;
  /** No contact will be asked after that ends before or after these, unix seconds. */
  readonly ends: { readonly first: number; readonly last: number };
  /** Needed for other classes than near. */
  readonly bucketsOf?: BucketsOf | undefined;
}

/** What there is of two people, by when it ended; buckets are looked up when they are wanted. */
interface PairContacts {
  readonly ends: readonly number[];
  /** Of the class; {@link UNREAD} for an entry of a segment that was not wanted yet. */
  readonly seconds: number[];
  /** Of such an entry, index of the segment · {@link TABLE} + entry. */
  readonly places: readonly number[];
}

type PairContact = readonly [end: number, seconds: number, place: number];

export class ClassSeconds {
  readonly #view: ContactView;
  readonly #buckets: 1 | 2 | 3;
  readonly #minSeconds: number;
  readonly #bucketsOf: BucketsOf;
  /** Unix seconds: contacts that end outside of these count for none that is asked after. */
  readonly #first: number;
  readonly #last: number;
  readonly #pace: Pace;
  readonly #known = new Map<number, PairContacts>();
  #kept = 0;

  /** Throws `input` where segments hold contacts and nothing gives their buckets. */
  constructor(view: ContactView, { attenuation, minSeconds, ends, bucketsOf }: ClassQuestion, pace: Pace) {
    const given = attenuation === 'near' ? nearBuckets : bucketsOf;
    if (given === undefined && view.segments.some(({ entries }) => entries > 0))
      throw new AskerError(
        'input',
        'seconds of another class than near are not to be had here: ask for near',
      );
    this.#view = view;
    this.#buckets = attenuation === 'immediate' ? 1 : attenuation === 'near' ? 2 : 3;
    this.#minSeconds = minSeconds;
    this.#bucketsOf = given ?? nearBuckets;
    this.#first = ends.first - DAY_SECONDS + 1;
    this.#last = ends.last;
    this.#pace = pace;
  }

  /**
   * Whether the contact of two people that ends then, unix seconds, is a close one. Of a contact buckets are looked up once,
   * and only while there are not enough seconds without. Throws what they and the pace throw.
   */
  reach(one: number, other: number, end: number): boolean {
    const pair = this.#pair(one, other);
    const from = firstAfter(pair.ends, end - DAY_SECONDS);
    let sum = 0;
    for (let k = firstAfter(pair.ends, end) - 1; k >= from && sum < this.#minSeconds; k--)
      sum += this.#secondsAt(pair, k);
    return sum >= this.#minSeconds;
  }

  #pair(one: number, other: number): PairContacts {
    const key = Math.min(one, other) * this.#view.people.count + Math.max(one, other);
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    const found: PairContact[] = [];
    this.#view.segments.forEach((segment, table) => this.#gatherSealed(segment, table, one, other, found));
    for (const table of this.#view.live) this.#gatherLive(table, one, other, found);
    found.sort(([x], [y]) => x - y);
    const pair = {
      ends: found.map(([end]) => end),
      seconds: found.map(([, seconds]) => seconds),
      places: found.map(([, , place]) => place),
    };
    this.#keep(key, pair);
    return pair;
  }

  #keep(key: number, pair: PairContacts): void {
    if (this.#kept >= MOST_KEPT) {
      this.#known.clear();
      this.#kept = 0;
    }
    this.#known.set(key, pair);
    this.#kept += PAIR + pair.ends.length;
  }

  /** From the shorter row of the two: both have all. */
  #gatherSealed(segment: Segment, table: number, one: number, other: number, found: PairContact[]): void {
    const { replaced, version, keepFrom } = this.#view;
    const [owner, peer] = rowLength(segment, one) <= rowLength(segment, other) ? [one, other] : [other, one];
    const isTouched = replaced.touched[owner] === 1;
    const endsFrom = Math.max(this.#first, keepFrom);
    const last = rowEnd(segment, owner);
    for (let e = firstEndingFrom(segment, owner, endsFrom); e < last; e++) {
      this.#pace.step(0);
      if (startAt(segment, e) > this.#last) break;
      const end = endAt(segment, e);
      if (segment.peer[e] !== peer || end < endsFrom || end > this.#last) continue;
      if (isTouched && isReplaced(replaced, segment.id, e, version)) continue;
      found.push([end, UNREAD, table * TABLE + e]);
    }
  }

  #gatherLive(table: LiveTable, one: number, other: number, found: PairContact[]): void {
    const { head, next, person, start, duration, immediate, near, medium } = table;
    for (let link = newestLink(head, one); link >= 0; link = next[link]! - 1) {
      this.#pace.step(0);
      const row = link >> 1;
      const end = start[row]! + duration[row]!;
      if (person[link ^ 1] !== other || end < this.#first || end > this.#last) continue;
      if (!isVisible(table, row, this.#view.version)) continue;
      found.push([end, this.#ofClass([immediate[row]!, near[row]!, medium[row]!, 0]), NaN]);
    }
  }

  #secondsAt({ seconds, places }: PairContacts, k: number): number {
    if (seconds[k] === UNREAD) {
      this.#pace.step(STEPS_A_LOOK);
      const segment = this.#view.segments[Math.floor(places[k]! / TABLE)]!;
      seconds[k] = this.#ofClass(this.#bucketsOf(segment, places[k]! % TABLE));
    }
    return seconds[k]!;
  }

  /** Near no more than a segment holds of one contact (tracing.md, "Contact"), be it sealed yet or not. */
  #ofClass(buckets: BucketSeconds): number {
    let seconds = 0;
    for (let bucket = 0; bucket < this.#buckets; bucket++) seconds += buckets[bucket] ?? 0;
    return this.#buckets === 2 ? Math.min(seconds, MAX_CONTACT_SECONDS) : seconds;
  }
}

/** Enough to sum immediate and near, and in the segment itself. */
const nearBuckets: BucketsOf = (segment, entry) => [0, nearSecondsAt(segment, entry), 0, 0];

/** The first of these ascending times that is after this one, by its index; their number where none is. */
function firstAfter(times: readonly number[], time: number): number {
  let low = 0;
  let high = times.length;
  while (low < high) {
    const middle = (low + high) >>> 1;
    if (times[middle]! <= time) low = middle + 1;
    else high = middle;
  }
  return low;
}

/** −1 for somebody without contacts in the table. Its writer stores the head last. */
export const newestLink = (head: Int32Array, person: number): number =>
  person < head.length ? Atomics.load(head, person) - 1 : -1;
