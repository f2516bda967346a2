/** Faults found in what is stored of payloads, day by day. */
import type { Place } from './findings.js';

/**
 * Something wrong with what is stored for a day; it is none when the day was pruned, and its file is on its
 * way out.
 */
export interface PayloadFault extends Place {
  readonly day: number;
  readonly what: string;
}

/**
 * Of one day; more are never told one by one. A pruned day's do not count, and must keep those of no other
 * from being told.
 */
const MAX_FAULTS = 10_000;

export class PayloadFaults {
  readonly #byDay = new Map<number, PayloadFault[]>();

  add(day: number, what: string, place: Place): void {
    const ofDay = this.#byDay.get(day) ?? [];
    this.#byDay.set(day, ofDay);
    if (ofDay.length < MAX_FAULTS) ofDay.push({ day, what, ...place });
  }

  /** The first ones of each day, in the order they were found. */
  list(): readonly PayloadFault[] {
    return [...this.#byDay.values()].flat();
  }
}
