/** The sightings of one day as they come, in any order: what was joined already, and those that have come since. */
import type { DayPart } from '../contacts/day-parts.js';
import type { PartChange } from '../contacts/kept-parts.js';
import { WordLog, wordsOfLog } from '../contacts/word-log.js';
import { copySightings, dayRows, newSightings } from './day-rows.js';
import type { DayRows, Sightings } from './day-rows.js';

/** So many, or as many as there are runs, and they are joined: memory stays in proportion to the runs. */
const MIN_PENDING = 4096;
/** Fewer runs are joined at once with what waits; so are more of them once an eighth of as many waits. */
const FEW_RUNS = 32_768;
const WORTH = 8;
/** A row of a part: person, gateway, start, end. */
const KEPT_WORDS = 4;

export class DayLog implements DayPart {
  readonly #day: number;
  /** What was joined. */
  #rows: DayRows;
  /** What waits to be: columns that grow with it, and how many of their rows there are. */
  #columns = newSightings(0);
  #pending = 0;
  /** The same joined by itself, until another comes: see {@link pieces}. */
  #pendingRows: DayRows | undefined;
  #people = 0;
  #gateways = 0;
  #firstStart = Infinity;
  #lastEnd = -Infinity;
  /** Sightings that are not saved yet, and rows that are. */
  #fresh = new WordLog();
  #kept = 0;

  constructor(day: number) {
    this.#day = day;
    this.#rows = dayRows(day, newSightings(0), { people: 0, gateways: 0 });
  }

  /** Runs joined so far and sightings that wait to be. */
  get size(): number {
    return this.#rows.length + this.#pending;
  }

  /** Unix seconds; Infinity before there is a sighting. */
  get firstStart(): number {
    return this.#firstStart;
  }

  /** Unix seconds; −Infinity before there is a sighting. */
  get lastEnd(): number {
    return this.#lastEnd;
  }

  /** Sightings that wait to be joined. */
  get pending(): number {
    return this.#pending;
  }

  add(person: number, gateway: number, start: number, end: number): void {
    this.#fresh.push([person, gateway, start, end]);
    this.#take(person, gateway, start, end);
  }

  /** As of {@link DayPart}; of a day that is over the runs alone, where that is much less. */
  change(name: string, newest: number): PartChange | undefined {
    const isOver = this.#day < newest - 1;
    const held = this.#kept + this.#fresh.rows(KEPT_WORDS);
    // What waits is joined only where it may be worth it: a day in a city takes a tenth of a second.
    if (isOver && held > 2 * this.#rows.length && held > 2 * this.rows().length)
      return { kind: 'put', name, bytes: this.#runs().bytes() };
    return this.#fresh.isEmpty ? undefined : { kind: 'append', name, bytes: this.#fresh.bytes() };
  }

  /** The change is saved. */
  saved({ kind }: PartChange): void {
    this.#kept = kind === 'put' ? this.rows().length : this.#kept + this.#fresh.rows(KEPT_WORDS);
    this.#fresh = new WordLog();
  }

  /** What parts held. Throws `format`. */
  restore(bytes: Uint8Array): void {
    const words = wordsOfLog(bytes, KEPT_WORDS, `sightings of day ${this.#day}`);
    for (let at = 0; at < words.length; at += KEPT_WORDS)
      this.#take(words[at]!, words[at + 1]!, words[at + 2]!, words[at + 3]!);
    this.#kept = words.length / KEPT_WORDS;
  }

  /**
   * All of the day so far, in one piece or two; never changed afterwards. A million runs take half a second to
   * be joined anew.
   */
  pieces(): readonly DayRows[] {
    const { length } = this.#rows;
    if (this.#pending === 0 || length < FEW_RUNS || length < WORTH * this.#pending) return [this.rows()];
    return [this.#rows, (this.#pendingRows ??= this.#joined(this.#waiting))];
  }

  /** All of the day so far, joined; never changed afterwards. */
  rows(): DayRows {
    if (this.#pending === 0) return this.#rows;
    this.#pendingRows = undefined;
    this.#rows = this.#joined(together(this.#rows, this.#waiting));
    this.#pending = 0;
    this.#columns = newSightings(0);
    return this.#rows;
  }

  #runs(): WordLog {
    const { length, person, gateway, start, end } = this.rows();
    const log = new WordLog();
    for (let row = 0; row < length; row++) log.push([person[row]!, gateway[row]!, start[row]!, end[row]!]);
    return log;
  }

  #take(person: number, gateway: number, start: number, end: number): void {
    this.#pendingRows = undefined;
    if (this.#pending === this.#columns.length) this.#grow();
    const row = this.#pending++;
    this.#columns.person[row] = person;
    this.#columns.gateway[row] = gateway;
    this.#columns.start[row] = start;
    this.#columns.end[row] = end;
    this.#people = Math.max(this.#people, person + 1);
    this.#gateways = Math.max(this.#gateways, gateway + 1);
    this.#firstStart = Math.min(this.#firstStart, start);
    this.#lastEnd = Math.max(this.#lastEnd, end);
    if (this.#pending === this.#maxPending) this.rows();
  }

  get #maxPending(): number {
    return Math.max(MIN_PENDING, this.#rows.length);
  }

  #grow(): void {
    const grown = newSightings(Math.min(Math.max(MIN_PENDING, 2 * this.#pending), this.#maxPending));
    copySightings(this.#waiting, grown);
    this.#columns = grown;
  }

  get #waiting(): Sightings {
    return { ...this.#columns, length: this.#pending };
  }

  #joined(sightings: Sightings): DayRows {
    return dayRows(this.#day, sightings, { people: this.#people, gateways: this.#gateways });
  }
}

function together(x: Sightings, y: Sightings): Sightings {
  const all = newSightings(x.length + y.length);
  copySightings(x, all);
  copySightings(y, all, x.length);
  return all;
}
