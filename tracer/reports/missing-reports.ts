/**
 * Reports that another names as the one before it and that have not come (report-chains.ts), by the day of the
 * one that names them, with which they are forgotten. A city whose keys of a day are late has a million, so
 * what is kept of them grows at its end.
 *
 * A part for each day, of names (live-reports.ts): as often as a name is told it is missing from then on, or is
 * so no longer, in turns.
 */
import { DayParts } from '../contacts/day-parts.js';
import type { DayPart } from '../contacts/day-parts.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { WordLog, wordsOfLog } from '../contacts/word-log.js';
import { NAME_WORDS } from './live-reports.js';
import { WordTables } from './word-tables.js';

const PART = 'missing/';
/** A part with so many names more than twice those that are missing is written anew. */
const SPARE_NAMES = 4096;

/** Whether a report that is missing was pruned: it came, and leaves no gap. */
type IsPruned = (name: Uint32Array) => boolean;

export class MissingReports {
  readonly #isPruned: IsPruned;
  readonly #parts = new DayParts(PART, () => new MissingDay());

  constructor(isPruned: IsPruned) {
    this.#isPruned = isPruned;
  }

  /** Those that were not pruned. Not gone through each time. */
  get gaps(): number {
    let gaps = 0;
    for (const day of this.#parts.days.values()) gaps += day.gaps(this.#isPruned);
    return gaps;
  }

  /** What is pruned has changed: gaps are to be counted anew. */
  recount(): void {
    for (const day of this.#parts.days.values()) day.recount();
  }

  /** Named by a report of this day; nothing for one that is missing already. */
  add(name: Uint32Array, number: number): void {
    for (const day of this.#parts.days.values()) if (day.has(name)) return;
    this.#parts.at(number).add(name, this.#isPruned);
  }

  /** The report has come. */
  delete(name: Uint32Array): void {
    for (const day of this.#parts.days.values()) if (day.delete(name, this.#isPruned)) return;
  }

  /** Days before this one. */
  forgetBefore(firstDay: number): void {
    this.#parts.forgetBefore(firstDay);
  }

  /** As of {@link DayParts.changes}. */
  changes(): PartChange[] {
    for (const [number, day] of this.#parts.days) if (day.isEmpty) this.#parts.forget(number);
    return this.#parts.changes();
  }

  saved(): void {
    this.#parts.saved();
  }

  /** What parts hold, into one that is empty. Throws `format`. */
  restore(parts: KeptParts): void {
    this.#parts.restore(parts);
  }
}

class MissingDay implements DayPart {
  readonly #names = new WordTables(NAME_WORDS);
  /** Undefined where they are to be counted anew. */
  #gaps: number | undefined = 0;
  /** Not saved yet; and how many names are. */
  #fresh = new WordLog();
  #kept = 0;

  get isEmpty(): boolean {
    return this.#names.count === 0;
  }

  gaps(isPruned: IsPruned): number {
    return (this.#gaps ??= this.#countGaps(isPruned));
  }

  recount(): void {
    this.#gaps = undefined;
  }

  has(name: Uint32Array): boolean {
    return this.#names.has(name);
  }

  add(name: Uint32Array, isPruned: IsPruned): void {
    this.#names.add(name);
    this.#fresh.push(name);
    if (this.#gaps !== undefined && !isPruned(name)) this.#gaps += 1;
  }

  /** Gives whether it was there. */
  delete(name: Uint32Array, isPruned: IsPruned): boolean {
    if (!this.#names.delete(name)) return false;
    this.#fresh.push(name);
    if (this.#gaps !== undefined && !isPruned(name)) this.#gaps -= 1;
    return true;
  }

  change(name: string): PartChange | undefined {
    if (this.#fresh.isEmpty) return undefined;
    const told = this.#kept + this.#fresh.rows(NAME_WORDS);
    if (told <= 2 * this.#names.count + SPARE_NAMES)
      return { kind: 'append', name, bytes: this.#fresh.bytes() };
    return { kind: 'put', name, bytes: this.#all() };
  }

  /** The change is saved. */
  saved({ kind }: PartChange): void {
    this.#kept = kind === 'append' ? this.#kept + this.#fresh.rows(NAME_WORDS) : this.#names.count;
    this.#fresh = new WordLog();
  }

  restore(bytes: Uint8Array): void {
    const words = wordsOfLog(bytes, NAME_WORDS, 'the reports that are missing');
    for (let at = 0; at < words.length; at += NAME_WORDS) {
      const name = words.subarray(at, at + NAME_WORDS);
      if (!this.#names.add(name)) this.#names.delete(name);
    }
    this.#kept = words.length / NAME_WORDS;
    this.recount();
  }

  #all(): Uint8Array {
    const log = new WordLog();
    for (const name of this.#names.rows()) log.push(name);
    return log.bytes();
  }

  #countGaps(isPruned: IsPruned): number {
    let gaps = 0;
    for (const name of this.#names.rows()) if (!isPruned(name)) gaps += 1;
    return gaps;
  }
}
