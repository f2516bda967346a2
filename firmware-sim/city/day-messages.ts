/** What is said between the owner of a city and a thread that makes its days. */
import type { DayFigures } from './figures.js';

export interface DayWanted {
  readonly day: number;
}

export interface DayReady {
  readonly day: number;
  /** As the file of the day; handed over, not copied. */
  readonly bytes: Uint8Array<ArrayBuffer>;
  readonly figures: DayFigures;
}
