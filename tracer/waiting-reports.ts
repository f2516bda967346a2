/**
 * Reports sealed to days whose keys the tracer does not hold: where they stand in the log, to be read again when the keys come.
 * They are given up once their day has left retention, since its keys are destroyed then. Millions may wait, so that a city can
 * be without the keys of a day for days; there is a bound all the same, and what comes beyond it is not noted.
 *
 * They are all in the ledger: one that found no room is found again by a tracer that is begun anew.
 */
import { ByteReader, ByteWriter } from '../protocol/bytes.js';
import { encodeEntry } from '../protocol/entry.js';
import { leafHash } from '../protocol/merkle.js';
import type { KeptParts, PartChange } from './contacts/kept-parts.js';
import type { LoggedEntry } from './payloads.js';
import { LEAF_BYTES, WaitingDay } from './waiting-day.js';
import type { WaitingEntry } from './waiting-day.js';

/** 200 MB of them. */
const MAX_WAITING = 2 ** 23;
const PART = 'waiting/';

/** Told how many entries of a type will not be read any more. */
export type GiveUp = (type: number, count: number) => void;

export class WaitingReports {
  readonly #days = new Map<number, WaitingDay>();
  readonly #giveUp: GiveUp;
  readonly #max: number;
  /** Days that are saved and are to be so no longer. */
  #gone: number[] = [];
  #size = 0;
  #withoutRoom = 0;
  /** The newest day of one that found no room. */
  #fullDay = 0;

  constructor(giveUp: GiveUp, max: number = MAX_WAITING) {
    this.#giveUp = giveUp;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  /** Those that found no room, and are of days that have not all left retention. */
  get withoutRoom(): number {
    return this.#withoutRoom;
  }

  add(entry: LoggedEntry, day: number): void {
    if (this.#size >= this.#max) return this.#refuse(entry, day);
    const known = this.#days.get(day) ?? new WaitingDay();
    this.#days.set(day, known);
    const { index, type } = entry;
    known.push({ index, type, leaf: leafHash(encodeEntry(entry)).subarray(0, LEAF_BYTES) });
    this.#size += 1;
  }

  /** Up to `max` of a day that has its keys now. They wait until `done`, so that a failed reading loses none. */
  ready(
    hasKeys: (day: number) => boolean,
    max: number,
  ): { readonly entries: readonly WaitingEntry[]; readonly done: () => void } {
    for (const [day, waiting] of this.#inOrder()) {
      if (!hasKeys(day)) continue;
      const entries = waiting.first(max);
      return { entries, done: () => this.#take(day, waiting, entries.length) };
    }
    return { entries: [], done: () => undefined };
  }

  /** Gives up those of days before this one. */
  forgetBefore(firstDay: number): void {
    for (const [day, waiting] of this.#inOrder()) {
      if (day >= firstDay) continue;
      for (const [type, count] of waiting.types()) this.#giveUp(type, count);
      this.#take(day, waiting, waiting.size);
    }
    if (this.#fullDay < firstDay) this.#withoutRoom = 0;
  }

  /** What is not saved yet, a part for each day. It is as good as saved once {@link saved} is called. */
  changes(): PartChange[] {
    const gone = this.#gone.map((day) => ({ kind: 'remove', name: PART + day }) as const);
    const grown = this.#inOrder().map(
      ([day, waiting]) => ({ kind: 'append', name: PART + day, bytes: waiting.fresh() }) as const,
    );
    return [...gone, ...grown.filter(({ bytes }) => bytes.length > 0)];
  }

  saved(): void {
    this.#gone = [];
    for (const waiting of this.#days.values()) waiting.saved();
  }

  /** What parts do not say: without room u48, their newest day u32, then each day u32 | at the front wait no more u48. */
  encode(): Uint8Array {
    const writer = new ByteWriter(10 + 10 * this.#days.size).u48(this.#withoutRoom).u32(this.#fullDay);
    for (const [day, { taken }] of this.#days) writer.u32(day).u48(taken);
    return writer.finish();
  }

  /** What {@link encode} gave, and the parts, into one that is empty. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    const reader = new ByteReader(bytes, 'the waiting reports');
    [this.#withoutRoom, this.#fullDay] = [reader.u48(), reader.u32()];
    for (let left = (bytes.length - 10) / 10; left > 0; left--) {
      const [day, taken] = [reader.u32(), reader.u48()];
      const waiting = new WaitingDay();
      waiting.restore(parts.get(PART + day) ?? new Uint8Array(), taken);
      this.#days.set(day, waiting);
      this.#size += waiting.size;
    }
    reader.end();
  }

  #refuse({ type }: LoggedEntry, day: number): void {
    this.#withoutRoom += 1;
    this.#fullDay = Math.max(this.#fullDay, day);
    this.#giveUp(type, 1);
  }

  #take(day: number, waiting: WaitingDay, count: number): void {
    waiting.take(count);
    this.#size -= count;
    if (waiting.size > 0) return;
    this.#days.delete(day);
    if (waiting.isKept) this.#gone.push(day);
  }

  #inOrder(): [number, WaitingDay][] {
    return [...this.#days].sort(([x], [y]) => x - y);
  }
}
