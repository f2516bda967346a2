/**
 * What a walk writes into: labels by person, and arrivals. One is kept for walk after walk, and grows with the people;
 * what a walk wrote is taken back person by person, so that a small walk in a large city touches little of it.
 */
import { Arrivals } from './arrivals.js';
import { NEVER } from './lens.js';

/** 2^23 arrivals of 22 bytes. */
const MOST_ARRIVALS = 2 ** 23;

/** 32 bytes a person, and the arrivals. */
export class WalkWorkspace {
  readonly arrivals: Arrivals;
  /** In the lens: arrivals after it are no news. NEVER for who was not reached in an earlier round, ALWAYS for a start. */
  label = new Int32Array(0);
  /** The arrival found last; −1 for none. */
  slot = new Int32Array(0);
  /** The chance that none of the contacts passed it on; its score is 1 minus that. Stale where there is no arrival. */
  escaped = new Float64Array(0);
  /** Where every arrival matters, the earliest so far; NEVER before the round is over. */
  earliest = new Int32Array(0);
  /** In a round that goes over all rows: from when on somebody of the frontier is open, and their arrival. */
  ready = new Int32Array(0);
  readyBy = new Int32Array(0);
  /** By order of being reached: the arrival at their hop that is explained. */
  reached = new Int32Array(0);

  /** @param mostArrivals - a walk that needs more throws `full` */
  constructor(mostArrivals = MOST_ARRIVALS) {
    this.arrivals = new Arrivals(mostArrivals);
  }

  /** Room for this many people; what it held is gone, and nothing may be in use. */
  sizeFor(people: number): void {
    if (people <= this.label.length) return;
    const room = Math.ceil(people * 1.25);
    this.label = new Int32Array(room).fill(NEVER);
    this.slot = new Int32Array(room).fill(-1);
    this.escaped = new Float64Array(room);
    this.earliest = new Int32Array(room).fill(NEVER);
    this.ready = new Int32Array(room).fill(NEVER);
    this.readyBy = new Int32Array(room);
    this.reached = new Int32Array(room);
  }

  /** As it was before the walk, however that ended: nobody was written to who has no arrival. */
  clear(): void {
    const { arrivals, label, slot, earliest, ready } = this;
    for (let place = 0; place < arrivals.count; place++) {
      const person = arrivals.person[place]!;
      label[person] = NEVER;
      slot[person] = -1;
      earliest[person] = NEVER;
      ready[person] = NEVER;
    }
    arrivals.count = 0;
  }
}
