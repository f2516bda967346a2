/**
 * Keeps the earliest arrival of each person, which is all that matters without an infectious period. Labels of people
 * reached in earlier rounds are lowered at once, those of new people when the round is over: until then every open contact
 * to them counts for their score. Nobody expands from a label of the round that is under way.
 *
 * Scores need no pass of their own. A contact that is open to a new person in this round was not open in the round before,
 * or the person would not be new; so it comes from somebody whose label was improved in the round before, and these are the
 * ones that are expanded. For the same reason nobody is expanded over the same contact twice: an arrival's link is from
 * when on its person was ready before.
 */
import { isBetter } from './better.js';
import type { Way } from './better.js';
import { chances } from './chance.js';
import { chanceOf } from './chance.js';
import type { Ground } from './ground.js';
import type { Keeper } from './keeper.js';
import { NEVER, readyAfter } from './lens.js';

export class EarliestKeeper implements Keeper {
  readonly #ground: Ground;
  readonly #chances = chances();
  /** Arrivals from here on are of this round. */
  #roundFrom = 0;
  #reached = 0;
  #isLast = false;
  #infector = -1;
  #score = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get reached(): number {
    return this.#reached;
  }

  /** Contacts taken from now on are of the person of this arrival. */
  from(arrival: number): void {
    const { arrivals, escaped } = this.#ground.space;
    this.#infector = arrival;
    this.#score = 1 - escaped[arrivals.person[arrival]!]!;
  }

  beginRound(isLast: boolean): void {
    this.#roundFrom = this.#ground.space.arrivals.count;
    this.#isLast = isLast;
  }

  take(other: number, _opens: number, at: number, table: number, entry: number, weight: number): boolean {
    const { label, slot } = this.#ground.space;
    const found = slot[other]!;
    if (label[other] === NEVER) {
      this.#count(other, found < 0, weight);
      if (found < 0) return this.#enter(other, at, NEVER, table, entry);
    } else {
      if (found < this.#roundFrom || this.#isLast) return this.#improve(other, at, table, entry);
      label[other] = Math.min(at, label[other]!);
    }
    return this.#rival(found, at, table, entry);
  }

  settle(): void {
    const { arrivals, label, reached } = this.#ground.space;
    for (let place = this.#roundFrom; place < arrivals.count; place++) {
      const person = arrivals.person[place]!;
      if (label[person] !== NEVER) continue;
      label[person] = arrivals.at[place]!;
      reached[this.#reached++] = place;
    }
  }

  #count(person: number, isFirst: boolean, weight: number): void {
    const { escaped } = this.#ground.space;
    const chance = weight < this.#chances.length ? this.#chances[weight]! : chanceOf(weight);
    const escapes = 1 - this.#score * chance;
    escaped[person] = isFirst ? escapes : escaped[person]! * escapes;
  }

  /** Somebody of an earlier round; the first time in this one. */
  #improve(person: number, at: number, table: number, entry: number): boolean {
    const { lens, space } = this.#ground;
    const before = space.label[person]!;
    if (at >= before) return false;
    space.label[person] = at;
    return !this.#isLast && this.#enter(person, at, readyAfter(lens, before), table, entry);
  }

  #enter(person: number, at: number, link: number, table: number, entry: number): boolean {
    const { arrivals, slot } = this.#ground.space;
    const place = arrivals.add(person, at, link);
    slot[person] = place;
    this.#write(place, at, table, entry);
    return true;
  }

  #rival(found: number, at: number, table: number, entry: number): boolean {
    const { arrivals } = this.#ground.space;
    const known = arrivals.at[found]!;
    if (at > known || (at === known && !this.#isBetter({ previous: this.#infector, table, entry }, found)))
      return false;
    this.#write(found, at, table, entry);
    return true;
  }

  #isBetter(way: Way, place: number): boolean {
    const { previous, table, entry } = this.#ground.space.arrivals;
    const rival = { previous: previous[place]!, table: table[place]!, entry: entry[place]! };
    return isBetter(this.#ground, way, rival);
  }

  #write(place: number, at: number, table: number, entry: number): void {
    const { arrivals } = this.#ground.space;
    arrivals.at[place] = at;
    arrivals.previous[place] = this.#infector;
    arrivals.table[place] = table;
    arrivals.entry[place] = entry;
  }
}
