/**
 * Reports sealed to days whose keys the tracer does not hold: noted by entry, to be read again when the keys come. They are
 * given up once their day has left retention, since its keys are destroyed then; and, when there are too many, those of
 * the oldest day first. A restart reads the whole log again, so nothing here needs to be kept.
 */
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
