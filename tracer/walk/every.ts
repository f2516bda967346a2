/**
 * Keeps every arrival of each person, one for each time, as an infectious period demands: a later exposure can reach later
 * contacts. A person's arrivals of a round are linked; what was found is looked up by person and time. Labels stay at NEVER,
 * so that no arrival counts as old news beforehand.
 */
import { isBetter } from './better.js';
import { chanceOf } from './chance.js';
import type { Ground } from './ground.js';
import type { Keeper } from './keeper.js';
import { NEVER, readyAfter } from './lens.js';
import { PRESENCE_TABLE } from './tables.js';
import { escapedAt, LABEL, marksOf, SLOT } from './workspace.js';

const FIRST_SLOTS = 1024;

export class EveryKeeper implements Keeper {
  readonly #ground: Ground;
  #roundFrom = 0;
  #reached = 0;
  #isLast = false;
  /** Arrival + 1 by person and time, 0 for none; open addressing, at most half full. */
  #found = new Int32Array(FIRST_SLOTS);
  /** Arrivals of the infector that are new, in order of time, and from when on each is ready. */
  #infectors: number[] = [];
  #ready: number[] = [];
  #infectious = 0;
  #score = 0;

  constructor(ground: Ground) {
    this.#ground = ground;
  }

  get news(): number {
    return this.#roundFrom;
  }

  get reached(): number {
    return this.#reached;
  }

  /**
   * Contacts taken from now on are of the person of this arrival, the one found last of theirs in the round.
   *
   * @param readyAt - from when on a start is ready, who has one arrival; undefined for the others
   */
  from(arrival: number, readyAt?: number): void {
    const { lens, space } = this.#ground;
    const { at, link, person } = space.arrivals;
    const mine: number[] = [];
    for (let place = arrival; place >= 0; place = link[place]!) mine.push(place);
    this.#infectors = mine.sort((x, y) => at[x]! - at[y]!);
    this.#infectious = readyAt === undefined ? lens.infectious : lens.startsInfectious;
    this.#ready = this.#infectors.map((place) => readyAt ?? readyAfter(lens, at[place]!));
    this.#score = space.scoreOf(person[arrival]!);
  }

  /** The infector is open from the first of these on, and not after the second. */
  opening(): readonly [number, number] {
    const last = (this.#ready.at(-1) ?? NEVER) + this.#infectious;
    return [this.#ready[0] ?? NEVER, Math.min(last, NEVER)];
  }

  beginRound(isLast: boolean): void {
    this.#roundFrom = this.#ground.space.arrivals.count;
    this.#isLast = isLast;
  }

  take(other: number, opens: number, at: number, table: number, entry: number, weight: number): boolean {
    const { arrivals, earliest, marks } = this.#ground.space;
    const previous = this.#openedBy(opens);
    if (previous < 0) return false;
    if (earliest[other] === NEVER) this.#count(other, weight);
    else if (this.#isLast) return this.#lower(other, at);
    const known = this.#lookUp(other, at);
    if (known >= 0) return known >= this.#roundFrom && this.#rival(known, previous, table, entry);
    const mine = marks[marksOf(other) + SLOT]!;
    const place = arrivals.add(other, at, mine >= this.#roundFrom ? mine : -1);
    marks[marksOf(other) + SLOT] = place;
    this.#write(place, previous, table, entry);
    this.#note(place);
    return true;
  }

  settle(): void {
    const { space } = this.#ground;
    const { arrivals, earliest, reached } = space;
    const { person, at, link } = arrivals;
    for (let place = this.#roundFrom; place < arrivals.count; place++) {
      const one = person[place]!;
      if (space.slotOf(one) !== place) continue;
      let first = place;
      for (let k = link[place]!; k >= 0; k = link[k]!) if (at[k]! < at[first]!) first = k;
      if (earliest[one] === NEVER) reached[this.#reached++] = first;
      earliest[one] = Math.min(earliest[one]!, at[first]!);
    }
  }

  /** Ends the walk, or what there was of it: the earliest arrival of each person is their label now. */
  label(): void {
    const { arrivals, earliest, marks } = this.#ground.space;
    for (let place = 0; place < arrivals.count; place++) {
      const person = arrivals.person[place]!;
      if (earliest[person] === NEVER) continue;
      marks[marksOf(person) + LABEL] = earliest[person]!;
      earliest[person] = NEVER;
    }
  }

  /** The first of the infector's arrivals that is open then; −1 where none is. */
  #openedBy(opens: number): number {
    const infectious = this.#infectious;
    const ready = this.#ready;
    let low = 0;
    let high = ready.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if (ready[middle]! + infectious < opens) low = middle + 1;
      else high = middle;
    }
    return low < ready.length && ready[low]! <= opens ? this.#infectors[low]! : -1;
  }

  #count(person: number, weight: number): void {
    const { space } = this.#ground;
    const escapes = 1 - this.#score * chanceOf(weight);
    const at = escapedAt(person);
    space.escapes[at] = space.slotOf(person) < 0 ? escapes : space.escapes[at]! * escapes;
  }

  /** Nobody goes on from the last round: of people reached before it only the time matters. */
  #lower(person: number, at: number): boolean {
    const { earliest } = this.#ground.space;
    earliest[person] = Math.min(earliest[person]!, at);
    return false;
  }

  #rival(place: number, previous: number, table: number, entry: number): boolean {
    const known = this.#ground.space.arrivals;
    const rival = {
      previous: known.previous[place]!,
      table: known.table[place]!,
      entry: known.entry[place]!,
    };
    if (!isBetter(this.#ground, { previous, table, entry }, rival)) return false;
    if (rival.table === PRESENCE_TABLE) this.#ground.tables.dropCopresence(rival.entry);
    this.#write(place, previous, table, entry);
    return true;
  }

  #write(place: number, previous: number, table: number, entry: number): void {
    const { arrivals } = this.#ground.space;
    arrivals.previous[place] = previous;
    arrivals.table[place] = table;
    arrivals.entry[place] = entry;
  }

  /** −1 for an arrival not met before. */
  #lookUp(person: number, at: number): number {
    return this.#found[this.#slotOf(person, at)]! - 1;
  }

  #note(place: number): void {
    const { count, person, at } = this.#ground.space.arrivals;
    if (2 * count > this.#found.length) {
      this.#found = new Int32Array(2 * this.#found.length);
      for (let k = 0; k < count; k++) this.#found[this.#slotOf(person[k]!, at[k]!)] = k + 1;
    } else this.#found[this.#slotOf(person[place]!, at[place]!)] = place + 1;
  }

  /** Where an arrival is, or would be. */
  #slotOf(person: number, at: number): number {
    const found = this.#found;
    const { arrivals } = this.#ground.space;
    const mask = found.length - 1;
    const hash = Math.imul(Math.imul(person, 0x85ebca6b) ^ at, 0x9e3779b1);
    for (let slot = (hash ^ (hash >>> 15)) & mask; ; slot = (slot + 1) & mask) {
      const place = found[slot]! - 1;
      if (place < 0 || (arrivals.person[place] === person && arrivals.at[place] === at)) return slot;
    }
  }
}
