/**
 * What a walk writes into: marks by person, and arrivals. One is kept for walk after walk, and grows with the people; what a
 * walk wrote is taken back person by person, so that a small walk in a large city touches little of it.
 */
import { Arrivals } from './arrivals.js';
import { NEVER } from './lens.js';

/** 2^23 arrivals of 22 bytes. */
const MOST_ARRIVALS = 2 ** 23;

/** Of person p, the marks are from p · MARKS on. */
export const MARKS = 4;
/**
 * In the lens: their earliest arrival, NEVER before there is one, ALWAYS for a start. Where every arrival matters it stays
 * NEVER, as none is old news beforehand.
 */
export const LABEL = 0;
/** The arrival found last; −1 for none. */
export const SLOT = 1;
/** Where the chance of a person to have escaped stands among the doubles of the marks. */
export const escapedAt = (person: number): number => 2 * person + 1;

/** 28 bytes a person, and the arrivals. */
export class WalkWorkspace {
  readonly arrivals: Arrivals;
  /** {@link MARKS} numbers a person, together in memory because they are wanted together: {@link LABEL}, {@link SLOT}, … */
  marks = new Int32Array(0);
  /**
   * … and a double, at {@link escapedAt}: the chance that none of the contacts passed it on. The score is 1 minus that. It is
   * negated while its person is new in the round under way.
   */
  escapes = new Float64Array(0);
  /** Where every arrival matters, the earliest so far; NEVER before the round is over. */
  earliest = new Int32Array(0);
  /** While a round goes along the memory: the arrival of those of the frontier, −1 for the others. */
  turn = new Int32Array(0);
  /** By order of being reached: the arrival at their hop that is explained. */
  reached = new Int32Array(0);

  /** @param mostArrivals - a walk that needs more throws `full` */
  constructor(mostArrivals = MOST_ARRIVALS) {
    this.arrivals = new Arrivals(mostArrivals);
  }

  /** The arrival of a person that was found last; −1 for none. */
  slotOf(person: number): number {
    return this.marks[person * MARKS + SLOT]!;
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
    const { arrivals, earliest, turn } = this;
    for (let place = 0; place < arrivals.count; place++) {
      const person = arrivals.person[place]!;
      this.#unmark(person);
      earliest[person] = NEVER;
      turn[person] = -1;
    }
    arrivals.count = 0;
  }

  #unmark(person: number): void {
    this.marks[person * MARKS + LABEL] = NEVER;
    this.marks[person * MARKS + SLOT] = -1;
  }
}
