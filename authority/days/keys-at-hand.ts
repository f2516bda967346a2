/** Day keys kept in memory for those who ask for them again. */
import { wipeKeys, type DayKeys } from '../../protocol/keys.js';

/** Of more, the one that was made or read first goes. */
const MAX_DAYS = 64;

export class KeysAtHand {
  readonly #byDay = new Map<number, DayKeys>();

  of(day: number): DayKeys | undefined {
    return this.#byDay.get(day);
  }

  keep(keys: DayKeys): DayKeys {
    this.#byDay.set(keys.day, keys);
    const [first] = this.#byDay.keys();
    if (this.#byDay.size > MAX_DAYS && first !== undefined) setImmediate(wipeKeys, this.giveUp([first]));
    return keys;
  }

  /** To be wiped by the caller, a moment later: who was just given them may be about to use them. */
  giveUp(days: readonly number[]): DayKeys[] {
    const given = days.flatMap((day) => this.#byDay.get(day) ?? []);
    for (const day of days) this.#byDay.delete(day);
    return given;
  }
}
