/** What a person is told of a clock that the ledger does not believe. Times are UTC. */
import type { ClockDoubt } from '../../ledger/sequence/append-clock.js';
import { callOf } from '../terminal/how-called.js';

/** "2026-03-02 08:30 UTC"; ms since 1970 where it is no date. */
export function dateTime(ms: number): string {
  const date = new Date(ms);
  if (Number.isNaN(date.getTime())) return `${ms} ms after 1970`;
  return `${date.toISOString().slice(0, 16).replace('T', ' ')} UTC`;
}

export const clockDoubtLine = ({ clockMs, newestMs }: ClockDoubt): string =>
  `the clock says ${dateTime(clockMs)}, and the newest entry is of ${dateTime(newestMs)}: nothing is taken in by a clock ` +
  `that leapt. Mend the clock, or say that it is right with ${callOf('ledger clock --data-dir DIR --yes')}`;
