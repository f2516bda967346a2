/** What a walk knows of a person it reached. Times are in the walk's lens (lens.ts): negated when walking backward. */

/** One way to have been reached. */
export interface Arrival {
  readonly person: number;
  readonly at: number;
  /** From when on this person can pass it on. */
  readonly ready: number;
  /** The contact and the arrival before it; none for a start. */
  readonly contact: number | undefined;
  readonly previous: Arrival | undefined;
}

export interface Label {
  /** 0 for a start. */
  readonly hop: number;
  /** The earliest arrival as of the round of `hop`; its path is the explanation. */
  readonly exposed: Arrival;
  readonly score: number;
  /** The earliest of all rounds so far. */
  earliest: number;
  /** By time: all so far with an infectious period, else the earliest alone. */
  readonly arrivals: Map<number, Arrival>;
}
