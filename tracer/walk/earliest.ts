/**
 * Keeps the earliest arrival of each person, which is all that matters without an infectious period. Labels are lowered at
 * once; that nobody expands from a label of the round under way is because arrivals, not labels, are expanded. Each contact
 * that is open to a person who is new in the round counts for their score, whether it lowers the label or not.
 *
 * Scores need no pass of their own. A contact that is open to a new person in this round was not open in the round before,
 * or the person would not be new; so it comes from somebody whose label was improved in the round before, and these are the
 * ones that are expanded. For the same reason nobody is expanded over the same contact twice: an arrival's link is from
 * when on its person was ready before.
 */
import { isBetter } from './better.js';
import type { Way } from './better.js';
import { chanceOf, chances } from './chance.js';
import type { Ground } from './ground.js';
import type { Keeper } from './keeper.js';
import { NEVER, readyAfter } from './lens.js';
import { PRESENCE_TABLE } from './tables.js';
import { escapedAt, LABEL, loweredAt, loweredSlot, marksOf, SLOT } from './workspace.js';
import type { Arrivals } from './arrivals.js';

export class EarliestKeeper implements Keeper {
  readonly #ground: Ground;
  readonly #chances = chances();
  readonly #arrivals: Arrivals;
  readonly #marks: Int32Array;
  readonly #escapes: Float64Array;
  #roundFrom = 0;
  #reached = 0;
  #isLast = false;
  #infector = -1;
  #score = 0;

  constructor(ground: Ground) {
    const { arrivals, marks, escapes } = ground.space;
    this.#ground = ground;
    this.#arrivals = arrivals;
    this.#marks = marks;
    this.#escapes = escapes;
  }

  get news(): number {
    return this.#roundFrom;
  }

  get reached(): number {
    return this.#reached;
  }

  /** Contacts taken from now on are of the person of this arrival. */
  from(arrival: number): void {
    this.#infector = arrival;
    this.#score = this.#ground.space.scoreOf(this.#arrivals.person[arrival]!);
  }

  beginRound(isLast: boolean): void {
    this.#roundFrom = this.#arrivals.count;
    this.#isLast = isLast;
  }

  take(other: number, _opens: number, at: number, table: number, entry: number, weight: number): boolean {
    const mark = marksOf(other);
    const before = this.#marks[mark + LABEL]!;
    const slot = this.#marks[mark + SLOT]!;
    if (slot >= this.#roundFrom) {
      this.#escapes[escapedAt(other)]! *= this.#escape(weight);
      return this.#rival(mark, slot, at, table, entry);
    }
    const lowered = loweredAt(slot);
    if (lowered >= this.#roundFrom) return this.#rival(mark, lowered, at, table, entry);
    if (at >= before) return false;
    if (before === NEVER) {
      const place = this.#enter(mark, other, at, NEVER, table, entry);
      this.#marks[mark + SLOT] = place;
      this.#escapes[escapedAt(other)] = this.#escape(weight);
    } else {
      if (this.#isLast) return this.#lower(mark, at);
      const place = this.#enter(mark, other, at, this.#readyBefore(before), table, entry);
      this.#marks[mark + SLOT] = loweredSlot(place);
    }
    return true;
  }

  settle(): void {
    const { reached } = this.#ground.space;
    const { link, count } = this.#arrivals;
    for (let place = this.#roundFrom; place < count; place++)
      if (link[place] === NEVER) reached[this.#reached++] = place;
  }

  /** Nobody goes on from the last round: of people reached before it only the time matters. */
  #lower(mark: number, at: number): boolean {
    this.#marks[mark + LABEL] = at;
    return false;
  }

  /** From when on somebody was ready; before NEVER, which is the link of new people. */
  #readyBefore(label: number): number {
    return Math.min(readyAfter(this.#ground.lens, label), NEVER - 1);
  }

  /** The chance that a contact of the infector does not pass it on. */
  #escape(weight: number): number {
    const chance = weight < this.#chances.length ? this.#chances[weight]! : chanceOf(weight);
    return 1 - this.#score * chance;
  }

  #enter(mark: number, person: number, at: number, link: number, table: number, entry: number): number {
    const place = this.#arrivals.add(person, at, link);
    this.#marks[mark + LABEL] = at;
    this.#write(place, at, table, entry);
    return place;
  }

  /** Somebody of whom an arrival was found in this round. */
  #rival(mark: number, found: number, at: number, table: number, entry: number): boolean {
    const known = this.#marks[mark + LABEL]!;
    if (at > known || (at === known && !this.#isBetter({ previous: this.#infector, table, entry }, found)))
      return false;
    this.#marks[mark + LABEL] = at;
    const { table: tables, entry: entries } = this.#arrivals;
    if (tables[found] === PRESENCE_TABLE) this.#ground.tables.dropCopresence(entries[found]!);
    this.#write(found, at, table, entry);
    return true;
  }

  #isBetter(way: Way, place: number): boolean {
    const { previous, table, entry } = this.#arrivals;
    const rival = { previous: previous[place]!, table: table[place]!, entry: entry[place]! };
    return isBetter(this.#ground, way, rival);
  }

  #write(place: number, at: number, table: number, entry: number): void {
    const arrivals = this.#arrivals;
    arrivals.at[place] = at;
    arrivals.previous[place] = this.#infector;
    arrivals.table[place] = table;
    arrivals.entry[place] = entry;
  }
}
