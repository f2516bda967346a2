/** What a gateway keeps aside because the ledger refused it for good. Nothing of it can be opened here: no tag, no person. */
import type { RefusedEntry } from '../../courier/spool.js';
import { refusalOf } from '../../protocol/errors.js';
import type { Refusal } from '../../protocol/errors.js';
import { localTime } from '../terminal/times.js';
import { count, counted } from './counts.js';
import { entryName } from './entry-names.js';

/** docs/protocol.md §7 and §13. */
const WORDS: Readonly<Record<Refusal, string>> = {
  format: 'not as the protocol has it, or of a later version of it',
  issuer: 'of another deployment',
  'credential-signature': 'its credential is not signed by the authority',
  'report-signature': 'not signed with its credential',
  epoch: 'its credential is of another quarter of an hour than it was received in',
  day: 'of a day that it may not be of when it was received: a clock is wrong, or it came too late',
  session: 'made for another visit of its tag',
  busy: 'the ledger had no room',
  type: 'a gateway may not write entries of this type',
  sequence: 'its number was taken by another batch',
  'batch-signature': 'its batch was not signed by this gateway',
  certificate: 'the ledger had no certificate of this gateway that covers it, or the gateway was revoked',
  size: 'too large',
};

/** Above a line for each of them. */
export function refusedHeading(kept: number): string {
  if (kept === 0) return 'nothing is kept aside: the ledger refused nothing for good';
  return `${counted(kept, 'entry', 'entries')} that the ledger refused for good ${kept === 1 ? 'is' : 'are'} kept aside:`;
}

export function refusedLine({ reason, entry: { type, timeMs, payload } }: RefusedEntry): string {
  return `  ${localTime(timeMs / 1000)}  ${entryName(type, 1)}, ${count(payload.length)} bytes; ${reasonWords(reason)}`;
}

/** The spool may have been written by a later version. */
function reasonWords(reason: number): string {
  try {
    const refusal = refusalOf(reason);
    if (refusal !== undefined) return `${refusal}: ${WORDS[refusal]}`;
  } catch {
    // falls through to the number
  }
  return `reason ${reason}, which this version does not know`;
}
