/**
 * Close contacts by another class of attenuation than near, or by more seconds than nearInDay counts to (tracing.md,
 * "Contact"): the pair's seconds of the class over the 24 hours up to the contact's end, summed when a walk asks.
 */
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import {
  endAt,
  firstEndingFrom,
  MAX_CONTACT_SECONDS,
  nearSecondsAt,
  rowEnd,
  startAt,
} from '../contacts/segment.js';
import { AskerError } from '../looks/asker-error.js';
import type { Segment } from '../contacts/segment.js';
import { isReplaced, isVisible } from '../contacts/view.js';
import type { ContactView, LiveTable } from '../contacts/view.js';
import type { AttenuationClass } from './lens.js';

/** Seconds of immediate, near, medium and other of an entry of a segment; it may read them from a disk. */
export type BucketsOf = (segment: Segment, entry: number) => BucketSeconds;

/** Answers kept: a contact may be asked after in each round, and from both sides. */
const MOST_KNOWN = 1_000_000;
const TABLE = 2 ** 32;

export class ClassSeconds {
  readonly #view: ContactView;
  readonly #buckets: 1 | 2 | 3;
  readonly #minSeconds: number;
  readonly #bucketsOf: BucketsOf;
  readonly #known = new Map<number, boolean>();

  /** Throws `input` where segments hold contacts and nothing gives their buckets. */
  constructor(
    view: ContactView,
    attenuation: AttenuationClass,
    minSeconds: number,
    bucketsOf: BucketsOf | undefined,
  ) {
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
  }

  /** Whether the contact of two people at a table and entry that ends then, unix seconds, is a close one. */
  reach(one: number, other: number, table: number, entry: number, end: number): boolean {
    const key = table * TABLE + entry;
    const known = this.#known.get(key);
    if (known !== undefined) return known;
    if (this.#known.size >= MOST_KNOWN) this.#known.clear();
    const isClose = this.#sum(one, other, end) >= this.#minSeconds;
    this.#known.set(key, isClose);
    return isClose;
  }

  #sum(one: number, other: number, end: number): number {
    const { segments, live } = this.#view;
    const sealed = segments.reduce((sum, segment) => sum + this.#sealed(segment, one, other, end), 0);
    return live.reduce((sum, table) => sum + this.#live(table, one, other, end), sealed);
  }

  #sealed(segment: Segment, one: number, other: number, end: number): number {
    const { replaced, version, keepFrom } = this.#view;
    const isTouched = replaced.touched[one] === 1;
    let seconds = 0;
    const last = rowEnd(segment, one);
    const endsFrom = Math.max(end - DAY_SECONDS + 1, keepFrom);
    for (let e = firstEndingFrom(segment, one, endsFrom); e < last; e++) {
      if (startAt(segment, e) > end) break;
      const ends = endAt(segment, e);
      if (segment.peer[e] !== other || ends < endsFrom || ends > end) continue;
      if (isTouched && isReplaced(replaced, segment.id, e, version)) continue;
      seconds += this.#ofClass(this.#bucketsOf(segment, e));
    }
    return seconds;
  }

  #live(table: LiveTable, one: number, other: number, end: number): number {
    const { head, next, person, start, duration, immediate, near, medium } = table;
    let seconds = 0;
    for (let link = newestLink(head, one); link >= 0; link = next[link]! - 1) {
      const row = link >> 1;
      if (person[link ^ 1] !== other || !isInDay(start[row]! + duration[row]!, end)) continue;
      if (!isVisible(table, row, this.#view.version)) continue;
      seconds += this.#ofClass([immediate[row]!, near[row]!, medium[row]!, 0]);
    }
    return seconds;
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

const isInDay = (end: number, until: number): boolean => end <= until && end > until - DAY_SECONDS;

/** −1 for somebody without contacts in the table. Its writer stores the head last. */
export const newestLink = (head: Int32Array, person: number): number =>
  person < head.length ? Atomics.load(head, person) - 1 : -1;
