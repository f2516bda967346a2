/**
 * Reports sealed to days whose keys the tracer does not hold: noted by entry, to be read again when the keys come. They are
 * given up once their day has left retention, since its keys are destroyed then; and, when there are too many, those of
 * the oldest day first.
 */
import { ByteReader, ByteWriter } from '../protocol/bytes.js';
import { decodeEntry, encodeEntry } from '../protocol/entry.js';
import type { LoggedEntry } from './payloads.js';

const MAX_WAITING = 65_536;

export class WaitingReports {
  readonly #byDay = new Map<number, LoggedEntry[]>();
  readonly #giveUp: (entry: LoggedEntry) => void;
  readonly #max: number;
  #size = 0;

  constructor(giveUp: (entry: LoggedEntry) => void, max: number = MAX_WAITING) {
    this.#giveUp = giveUp;
    this.#max = max;
  }

  get size(): number {
    return this.#size;
  }

  add(entry: LoggedEntry, day: number): void {
    const known = this.#byDay.get(day);
    if (known) known.push(entry);
    else this.#byDay.set(day, [entry]);
    this.#size += 1;
    if (this.#size > this.#max) this.#forget(this.#days()[0]);
  }

  /** Up to `max` entries of a day that has its keys now. They wait until `done`, so that a failed reading loses none. */
  ready(
    hasKeys: (day: number) => boolean,
    max: number,
  ): { readonly entries: readonly LoggedEntry[]; readonly done: () => void } {
    const day = this.#days().find(hasKeys);
    const waiting = day === undefined ? [] : (this.#byDay.get(day) ?? []);
    const entries = waiting.slice(0, max);
    const done = (): void => {
      waiting.splice(0, entries.length);
      if (day !== undefined && waiting.length === 0) this.#byDay.delete(day);
      this.#size -= entries.length;
    };
    return { entries, done };
  }

  /** Gives up those of days before this one. */
  forgetBefore(firstDay: number): void {
    for (const day of this.#days()) if (day < firstDay) this.#forget(day);
  }

  /** entries u32, then each: day u32 | index u48 | length u16 | the entry as it is logged. Big-endian. */
  encode(): Uint8Array {
    const waiting = [...this.#byDay].flatMap(([day, entries]) =>
      entries.map((entry) => ({ day, index: entry.index, bytes: encodeEntry(entry) })),
    );
    const size = waiting.reduce((sum, { bytes }) => sum + 12 + bytes.length, 4);
    const writer = new ByteWriter(size).u32(waiting.length);
    for (const { day, index, bytes } of waiting) writer.u32(day).u48(index).u16(bytes.length).bytes(bytes);
    return writer.finish();
  }

  /** Adds what {@link encode} wrote. Throws `format`. */
  decode(bytes: Uint8Array): void {
    const reader = new ByteReader(bytes, 'the waiting reports');
    for (let left = reader.u32(); left > 0; left--) {
      const [day, index] = [reader.u32(), reader.u48()];
      this.add({ ...decodeEntry(reader.take(reader.u16())), index }, day);
    }
    reader.end();
  }

  #days(): number[] {
    return [...this.#byDay.keys()].sort((x, y) => x - y);
  }

  #forget(day: number | undefined): void {
    const forgotten = day === undefined ? [] : (this.#byDay.get(day) ?? []);
    if (day !== undefined) this.#byDay.delete(day);
    this.#size -= forgotten.length;
    forgotten.forEach((entry) => this.#giveUp(entry));
  }
}
