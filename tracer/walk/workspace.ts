/**
 * What a walk writes into: marks by person, and arrivals. One is kept for walk after walk, and grows with the people; what a
 * walk wrote is taken back person by person, so that a small walk in a large city touches little of it.
 */
import { Arrivals } from './arrivals.js';
import { NEVER } from './lens.js';

/** 2^23 arrivals of 22 bytes. */
const MOST_ARRIVALS = 2 ** 23;

/** How many marks a person has: those of person p are from {@link marksOf} on. A shift stays a 32-bit number. */
const MARKS = 4;
export const marksOf = (person: number): number => person << 2;
/**
 * In the lens: their earliest arrival, NEVER before there is one, ALWAYS for a start. Where every arrival matters it stays
 * NEVER until the rounds are over, as none is old news beforehand.
 */
export const LABEL = 0;
/**
 * The arrival found last; −1 for none. Of somebody who was reached before and is reached earlier in this round it is turned
 * into a number below that: so one look at it tells whether somebody is new in the round, of whom every contact counts.
 */
export const SLOT = 1;
export const loweredSlot = (arrival: number): number => -2 - arrival;
/** The arrival of such a slot; of another slot a number below 0. */
export const loweredAt = (slot: number): number => -2 - slot;
/** Where the chance of a person to have escaped stands among the doubles of the marks. */
export const escapedAt = (person: number): number => (person << 1) + 1;

/** 28 bytes a person, and the arrivals. */
export class WalkWorkspace {
  readonly arrivals: Arrivals;
  /** Four numbers a person, together in memory because they are wanted together: {@link LABEL}, {@link SLOT}, … */
  marks = new Int32Array(0);
  /**
   * … and a double, at {@link escapedAt}: the chance that none of the contacts passed it on. The score is 1 minus that.
   */
  escapes = new Float64Array(0);
  /** While rounds go on in which every arrival matters: the earliest so far. NEVER before the round is over, and for all between walks. */
  earliest = new Int32Array(0);
  /** While a round goes along the memory: the arrival of those of the frontier; −1 for the others, and for all between rounds. */
  turn = new Int32Array(0);
  /** By order of being reached: the arrival at their hop that is explained. */
  reached = new Int32Array(0);

  /** {@link roomToPick} */
  #picked = new Uint32Array(1024);

  /** Of no meaning: what is read ahead goes here, or the compiler would see that nobody needs it and leave it out. */
  touched = 0;

  /** @param mostArrivals - a walk that needs more throws `full` */
  constructor(mostArrivals = MOST_ARRIVALS) {
    this.arrivals = new Arrivals(mostArrivals);
  }

  /** Room for as many entries of a row; what was picked stays where it is. */
  roomToPick(entries: number): Uint32Array {
    if (entries <= this.#picked.length) return this.#picked;
    const before = this.#picked;
    this.#picked = new Uint32Array(2 * entries);
    this.#picked.set(before);
    return this.#picked;
  }

  /** The arrival of a person that was found last; −1 for none. */
  slotOf(person: number): number {
    const slot = this.marks[marksOf(person) + SLOT]!;
    return Math.max(slot, loweredAt(slot));
  }

  /** Of a start, or of somebody reached in a round that is over. */
  scoreOf(person: number): number {
    return 1 - this.escapes[escapedAt(person)]!;
  }

  /** Room for this many people; what it held is gone, and nothing may be in use. */
  sizeFor(people: number): void {
    if (people <= this.reached.length) return;
    const room = Math.ceil(people * 1.25);
    this.marks = new Int32Array(MARKS * room);
    this.escapes = new Float64Array(this.marks.buffer);
    for (let person = 0; person < room; person++) this.#unmark(person);
    this.earliest = new Int32Array(room).fill(NEVER);
    this.turn = new Int32Array(room).fill(-1);
    this.reached = new Int32Array(room);
  }

  /** As it was before the walk, however that ended: nobody was written to who has no arrival. */
  clear(): void {
    const { arrivals } = this;
    for (let place = 0; place < arrivals.count; place++) this.#unmark(arrivals.person[place]!);
    arrivals.count = 0;
  }

  #unmark(person: number): void {
    this.marks[marksOf(person) + LABEL] = NEVER;
    this.marks[marksOf(person) + SLOT] = -1;
  }
}
