/** People who are at the same place in the same epoch, because they happen to be: coaches, shops, the street. */
import assert from 'node:assert/strict';
import { EPOCHS_PER_DAY } from '../../protocol/time.js';
import type { Random } from '../../radio/random.js';
import type { DaySheet } from './day-sheet.js';

/** Who is where, collected in any order. */
export class Visits {
  readonly #places: number;
  readonly #people: number[] = [];
  readonly #slots: number[] = [];

  constructor(places: number) {
    this.#places = places;
  }

  /** `place`: from 0 up to the number of places. */
  add(person: number, place: number, epoch: number): void {
    assert(Number.isInteger(place) && place >= 0 && place < this.#places, 'there is no such place');
    if (epoch >= EPOCHS_PER_DAY) return;
    this.#people.push(person);
    this.#slots.push(place * EPOCHS_PER_DAY + epoch);
  }

  /** `perVisit`: contacts that a visitor has, with one of the `reach` who came next (`besides` of them) or with anybody. */
  meet(
    kind: number,
    { perVisit, besides, reach }: { perVisit: number; besides: number; reach: number },
    random: Random,
    sheet: DaySheet,
  ): void {
    const { rows, people } = this.#bySlot();
    for (let slot = 0; slot + 1 < rows.length; slot++) {
      const [first, size] = [rows[slot]!, rows[slot + 1]! - rows[slot]!];
      if (size < 2) continue;
      const contacts = Math.floor((size * perVisit) / 2 + random.next());
      for (let contact = 0; contact < contacts; contact++) {
        const one = random.below(size);
        const range = random.next() < besides ? Math.min(reach, size - 1) : size - 1;
        const another = (one + 1 + random.below(range)) % size;
        sheet.add(kind, slot % EPOCHS_PER_DAY, people[first + one]!, people[first + another]!);
      }
    }
  }

  /** A counting sort that keeps the order in which they were added. */
  #bySlot(): { readonly rows: Uint32Array; readonly people: Uint32Array } {
    const rows = new Uint32Array(this.#places * EPOCHS_PER_DAY + 1);
    for (const slot of this.#slots) rows[slot + 1]! += 1;
    for (let slot = 0; slot + 1 < rows.length; slot++) rows[slot + 1]! += rows[slot]!;
    const next = rows.slice();
    const people = new Uint32Array(this.#people.length);
    for (const [k, slot] of this.#slots.entries()) people[next[slot]!++] = this.#people[k]!;
    return { rows, people };
  }
}
