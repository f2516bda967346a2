/** Refusals as a person reads them in the courier's status. */
import { refusalOf } from '../protocol/errors.js';

/** Counts by number of the refusal, as counts by its name; "reason 99" for a number that no refusal has. */
export const countsByName = (counts: ReadonlyMap<number, number>): Record<string, number> =>
  Object.fromEntries([...counts].map(([reason, times]) => [nameOf(reason), times]));

/** The spool may have been written by a later version. */
function nameOf(reason: number): string {
  try {
    return refusalOf(reason) ?? `reason ${reason}`;
  } catch {
    return `reason ${reason}`;
  }
}
