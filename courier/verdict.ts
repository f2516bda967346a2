/**
 * What a verified ledger receipt means for a batch. Pure. Whatever a passing condition refused (a ledger
 * under load, a certificate that is not in the log yet, a number taken by an earlier life of the spool) is
 * sent again, in the same batch while the ledger recorded nothing of it, under another number once it did. A
 * report whose certificate has not come before its day's keys are destroyed is given up: nobody could open
 * it, and it would keep the room of others. So is one that was received once its gateway was revoked, which
 * is for good.
 */
import { isReport } from '../protocol/tlog/entry.js';
import { refusalNumber, refusalOf } from '../protocol/errors.js';
import type { Refusal } from '../protocol/errors.js';
import type { LedgerReceipt, Outcome } from '../protocol/mqtt/ledger-receipt.js';
import type { SpooledBatch } from './spool.js';

/** `index`: its place in the ledger. `refusal`: refused for good. `parked`: refused for now. */
export type EntryVerdict =
  | { readonly index: number }
  | { readonly refusal: Refusal; readonly reason: number }
  | { readonly parked: Refusal };

/** A word on each entry, in the order of the batch. */
export interface SettledVerdict {
  readonly kind: 'settled';
  readonly entries: readonly EntryVerdict[];
}

export type Verdict =
  /** The ledger recorded nothing: the same bytes again, later. */
  | { readonly kind: 'later'; readonly refusal: Refusal }
  /** Another batch has its number at the ledger. */
  | { readonly kind: 'renumber' }
  | SettledVerdict;

/** A batch refused as a whole so often is not sent again as it is: the refusal is the last word on its entries. */
const MAX_REFUSALS = 6;
/** A receipt with this number is for a batch the ledger could not read. */
const UNREADABLE_SEQ = 0;

export interface VerdictContext {
  /** How often this batch was refused as a whole before, for another reason than `busy`. */
  readonly refusals: number;
  /** Whether a report received then, unix ms, would wait for a certificate in vain. */
  readonly waitsInVain: (timeMs: number) => boolean;
}

/** `undefined` when the receipt contradicts the batch, though it names its hash. */
export function verdictOn(
  batch: SpooledBatch,
  receipt: LedgerReceipt,
  { refusals, waitsInVain }: VerdictContext,
): Verdict | undefined {
  const isUnread = receipt.seq === UNREADABLE_SEQ && receipt.outcomes.length === 1;
  const fits = receipt.seq === batch.seq && receipt.outcomes.length === batch.entries.length;
  const [first] = receipt.outcomes;
  if (first === undefined || !(fits || isUnread)) return undefined;
  const isUniform = receipt.outcomes.every(({ reason }) => reason === first.reason);
  const ofAll = isUniform ? refusalIn(first) : undefined;
  if (ofAll === 'busy') return { kind: 'later', refusal: ofAll };
  if (ofAll === 'sequence') return { kind: 'renumber' };
  const isFinal = batch.entries.every(({ type, timeMs }) => isReport(type) && waitsInVain(timeMs));
  const mayBeUnrecorded = isUnread || (ofAll === 'certificate' && !isFinal) || ofAll === 'batch-signature';
  if (ofAll !== undefined && mayBeUnrecorded && refusals < MAX_REFUSALS)
    return { kind: 'later', refusal: ofAll };
  const entries = batch.entries.map(({ type, timeMs }, k) => {
    const verdict = entryVerdict(type, isUnread ? first : receipt.outcomes[k]);
    return waitsInVain(timeMs) ? withoutWaiting(verdict) : verdict;
  });
  return { kind: 'settled', entries };
}

function entryVerdict(type: number, outcome: Outcome | undefined): EntryVerdict {
  if (outcome === undefined) return { parked: 'busy' };
  if (outcome.index !== null) return { index: outcome.index };
  const why = refusalIn(outcome) ?? 'format';
  const mayPass = why === 'busy' || why === 'sequence' || (why === 'certificate' && isReport(type));
  return mayPass ? { parked: why } : { refusal: why, reason: outcome.reason };
}

/** An entry that would wait for a certificate is refused for good instead. */
function withoutWaiting(verdict: EntryVerdict): EntryVerdict {
  const isWaiting = 'parked' in verdict && verdict.parked === 'certificate';
  return isWaiting ? { refusal: verdict.parked, reason: refusalNumber(verdict.parked) } : verdict;
}

/** A reason of a later version counts as a refusal for good: it is kept aside with its number. */
function refusalIn({ reason }: Outcome): Refusal | undefined {
  try {
    return refusalOf(reason);
  } catch {
    return 'format';
  }
}
