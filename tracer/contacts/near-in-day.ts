/**
 * nearInDay of the contacts of a segment (tracing.md, "Contact"): what the pair's contacts that end in (end −
 * 24 h, end] are near for in all. Computed row by row, so that what is read lies together; both rows of a
 * contact give the same.
 *
 * Durations and near seconds are taken as a segment holds them, at most 4,095 s, so that it makes no difference
 * when and from what a segment is built.
 */
import { DAY_SECONDS } from '../../protocol/time.js';
import { durationAt, firstFrom, MAX_CONTACT_SECONDS, nearSecondsAt, rowEnd, saturated } from './segment.js';
import type { Segment } from './segment.js';

const NOT_IN_TARGET = -1;
const NONE = -1;

/** Whether a contact in `other` can count for one in `target`, or the other way round. */
export const mayCount = (other: Segment, target: Segment): boolean =>
  other.lastSeconds > target.baseSeconds - DAY_SECONDS && other.baseSeconds <= target.lastSeconds;

/**
 * Fills `target.nearInDay` in the rows of the people from `from` up to `to`. `segments`: `target` itself and all others
 * that hold contacts of the day before it or of its time, in any order.
 */
export function fillNearInDay(
  segments: readonly Segment[],
  target: Segment,
  from = 0,
  to = target.people,
): void {
  const row = new PairsOfARow(Math.max(...segments.map(({ people }) => people)));
  const others = segments.filter((segment) => segment !== target && mayCount(segment, target));
  for (let person = from; person < to; person++) {
    if (target.rows[person] === target.rows[person + 1]) continue;
    for (const other of others) row.take(other, person, target, false);
    row.take(target, person, target, true);
    row.finish(target);
  }
}

/** One person's contacts, chained by peer. */
class PairsOfARow {
  #size = 0;
  #peer = new Uint32Array(256);
  #end = new Uint32Array(256);
  #near = new Uint16Array(256);
  /** Entry in the target. */
  #entry = new Float64Array(256);
  /** The one before it with the same peer. */
  #before = new Int32Array(256);
  /** By peer: the last one. */
  readonly #last: Int32Array;
  /** One pair, in order of end. */
  #chain: number[] = [];

  constructor(people: number) {
    this.#last = new Int32Array(people).fill(NONE);
  }

  /** Adds what may count for a contact of `target` in this person's row of `segment`. */
  take(segment: Segment, person: number, target: Segment, isTarget: boolean): void {
    const earliest = target.baseSeconds - DAY_SECONDS - MAX_CONTACT_SECONDS;
    const end = rowEnd(segment, person);
    const { peer, startSignal, baseSeconds } = segment;
    for (let entry = firstFrom(segment, person, earliest); entry < end; entry++) {
      const start = baseSeconds + (startSignal[entry]! >>> 8);
      if (start > target.lastSeconds) break;
      if (this.#size === this.#peer.length) this.#grow();
      const at = this.#size++;
      const other = peer[entry]!;
      this.#peer[at] = other;
      this.#end[at] = start + durationAt(segment, entry);
      this.#near[at] = nearSecondsAt(segment, entry);
      this.#entry[at] = isTarget ? entry : NOT_IN_TARGET;
      this.#before[at] = this.#last[other]!;
      this.#last[other] = at;
    }
  }

  finish(target: Segment): void {
    for (let at = this.#size - 1; at >= 0; at--) {
      const peer = this.#peer[at]!;
      if (this.#last[peer] !== at) continue;
      this.#last[peer] = NONE;
      if (this.#before[at] === NONE) this.#put(target, at, this.#near[at]!);
      else this.#finishPair(target, at);
    }
    this.#size = 0;
  }

  #put({ nearInDay }: Segment, at: number, sum: number): void {
    const entry = this.#entry[at]!;
    if (entry !== NOT_IN_TARGET) nearInDay[entry] = saturated(sum);
  }

  /** A window of 24 h over the pair's contacts; those that end together count for each other. */
  #finishPair(target: Segment, last: number): void {
    const chain = this.#chainTo(last);
    const end = this.#end;
    const near = this.#near;
    let [sum, first, next] = [0, 0, 0];
    for (const at of chain) {
      while (next < chain.length && end[chain[next]!]! <= end[at]!) sum += near[chain[next++]!]!;
      while (end[chain[first]!]! <= end[at]! - DAY_SECONDS) sum -= near[chain[first++]!]!;
      this.#put(target, at, sum);
    }
  }

  /** By insertion: they come nearly in order. */
  #chainTo(last: number): readonly number[] {
    const chain = this.#chain;
    chain.length = 0;
    for (let at = last; at !== NONE; at = this.#before[at]!) chain.push(at);
    chain.reverse();
    for (let i = 1; i < chain.length; i++) {
      const at = chain[i]!;
      let to = i;
      for (; to > 0 && this.#end[chain[to - 1]!]! > this.#end[at]!; to--) chain[to] = chain[to - 1]!;
      chain[to] = at;
    }
    return chain;
  }

  #grow(): void {
    const capacity = 2 * this.#peer.length;
    const grown = <T extends Uint32Array | Uint16Array | Int32Array | Float64Array>(old: T, next: T): T => {
      next.set(old);
      return next;
    };
    this.#peer = grown(this.#peer, new Uint32Array(capacity));
    this.#end = grown(this.#end, new Uint32Array(capacity));
    this.#near = grown(this.#near, new Uint16Array(capacity));
    this.#entry = grown(this.#entry, new Float64Array(capacity));
    this.#before = grown(this.#before, new Int32Array(capacity));
  }
}
