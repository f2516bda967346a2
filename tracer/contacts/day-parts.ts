/**
 * What is kept by day, or by another number that rises with days, each in a part of its own (kept-parts.ts). A day that
 * goes takes its part with it; it may come again, so parts that are to go are removed before others are written.
 */
import type { KeptParts, PartChange } from './kept-parts.js';

export interface DayPart {
  /** What is not saved yet, as a change of the part of this name; `newest`: the newest day there is. */
  change(name: string, newest: number): PartChange | undefined;
  /** That change is saved, and nothing has come since. */
  saved(change: PartChange): void;
  /** What was saved, into one that is empty. Throws `format`. */
  restore(bytes: Uint8Array): void;
}

export class DayParts<Part extends DayPart> {
  readonly #prefix: string;
  readonly #newPart: (day: number) => Part;
  readonly #days = new Map<number, Part>();
  /** Days that are saved; and those that were, and are to be so no longer. */
  readonly #kept = new Set<number>();
  readonly #gone = new Set<number>();
  /** Changes that are being saved. */
  #saving = new Map<number, PartChange>();

  /** The name of a part is `prefix` and the day. */
  constructor(prefix: string, newPart: (day: number) => Part) {
    this.#prefix = prefix;
    this.#newPart = newPart;
  }

  /** In the order they came. */
  get days(): ReadonlyMap<number, Part> {
    return this.#days;
  }

  /** An empty one where there is none yet. */
  at(day: number): Part {
    const part = this.#days.get(day) ?? this.#newPart(day);
    this.#days.set(day, part);
    return part;
  }

  forget(day: number): void {
    this.#days.delete(day);
    if (this.#kept.delete(day)) this.#gone.add(day);
  }

  forgetBefore(first: number): void {
    for (const day of this.#days.keys()) if (day < first) this.forget(day);
  }

  /** What is not saved yet. It is as good as saved once {@link saved} is called; until then nothing is to change. */
  changes(): PartChange[] {
    const newest = Math.max(...this.#days.keys());
    this.#saving = new Map();
    for (const [day, part] of this.#days) {
      const change = part.change(this.#prefix + day, newest);
      if (change) this.#saving.set(day, change);
    }
    const gone = [...this.#gone].map((day) => ({ kind: 'remove', name: this.#prefix + day }) as const);
    return [...gone, ...this.#saving.values()];
  }

  saved(): void {
    for (const [day, change] of this.#saving) {
      this.#days.get(day)?.saved(change);
      this.#kept.add(day);
    }
    this.#saving.clear();
    this.#gone.clear();
  }

  /** What was saved, where nothing is yet. Throws `format`. */
  restore(parts: KeptParts): void {
    for (const [name, bytes] of parts) {
      if (!name.startsWith(this.#prefix)) continue;
      const day = Number(name.slice(this.#prefix.length));
      this.at(day).restore(bytes);
      this.#kept.add(day);
    }
  }
}
