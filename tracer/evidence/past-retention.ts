/** The refusal of what can be answered still and shown no longer, as it takes a day that has left retention with its keys. */
import { DAY_SECONDS, EPOCH_SECONDS } from '../../protocol/time.js';
import { AskerError } from '../asker-error.js';

/** Of a contact (tracing.md, "Contact"). */
const LONGEST_SECONDS = 3 * EPOCH_SECONDS;

/** Of a contact that begins then or later all that counts towards its 24 hours is of days that are kept. */
export const allKeptFrom = (keepFrom: number): number => keepFrom + DAY_SECONDS + LONGEST_SECONDS;

/** `not-found`; `keepFrom`: unix seconds at which the days begin that are kept. */
export function pastRetention(keepFrom: number, what: string): AskerError {
  const allIsKept = new Date(allKeptFrom(keepFrom) * 1000).toISOString();
  return new AskerError(
    'not-found',
    `${what}, of which there is no evidence: begin the window at ${allIsKept} or later, or let the evidence show people whose paths go without it`,
  );
}
