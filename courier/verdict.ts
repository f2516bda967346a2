/**
 * What a verified ledger receipt means for a batch. Pure. Whatever a passing condition refused (a ledger under load, a
 * certificate that is not in the log yet, a number taken by an earlier life of the spool) is sent again, in the same
 * batch while the ledger recorded nothing of it, under another number once it did. A report whose certificate has not come
 * before its day's keys are destroyed is given up: nobody could open it, and it would keep the room of others.
 */
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { refusalNumber, refusalOf } from '../protocol/errors.js';
import type { Refusal } from '../protocol/errors.js';
import type { LedgerReceipt, Outcome } from '../protocol/mqtt/ledger-receipt.js';
import type { SpooledBatch } from './spool.js';

/** `index`: its place in the ledger. `refusal`: refused for good. `parked`: refused for now. */
export type EntryVerdict =
  | { readonly index: number }
  | { readonly refusal: Refusal; readonly reason: number }
  | { readonly parked: Refusal };

export type Verdict =
  /** The ledger recorded nothing: the same bytes again, later. */
  | { readonly kind: 'later'; readonly refusal: Refusal }
  /** Another batch has its number at the ledger. */
  | { readonly kind: 'renumber' }
  | { readonly kind: 'settled'; readonly entries: readonly EntryVerdict[] };

/** How often a batch refused as a whole is sent again as it is before that refusal is taken as the last word. */
const TRIES = 6;
/** A receipt with this number is for a batch the ledger could not read. */
const UNREADABLE_SEQ = 0;

export interface VerdictContext {
  /** How often this batch was refused as a whole before. */
  readonly tries: number;
  /** Whether what was received then, unix ms, is beyond the window: no key opens it any more. */
  readonly isPastRetention: (timeMs: number) => boolean;
}

/** Undefined when the receipt does not fit the batch, whose hash it names. */
export function verdictOn(
  batch: SpooledBatch,
  receipt: LedgerReceipt,
  { tries, isPastRetention }: VerdictContext,
): Verdict | undefined {
  const isUnread = receipt.seq === UNREADABLE_SEQ && receipt.outcomes.length === 1;
  const fits = receipt.seq === batch.seq && receipt.outcomes.length === batch.entries.length;
  const [first] = receipt.outcomes;
  if (first === undefined || !(fits || isUnread)) return undefined;
  const whole = receipt.outcomes.every(({ reason }) => reason === first.reason) ? refusal(first) : undefined;
  if (whole === 'busy') return { kind: 'later', refusal: whole };
  if (whole === 'sequence') return { kind: 'renumber' };
  const mayBeUnrecorded = isUnread || whole === 'certificate' || whole === 'batch-signature';
  if (whole !== undefined && mayBeUnrecorded && tries < TRIES) return { kind: 'later', refusal: whole };
  const entries = batch.entries.map(({ type, timeMs }, k) => {
    const verdict = entryVerdict(type, isUnread ? first : receipt.outcomes[k]);
    return isPastRetention(timeMs) ? givenUp(verdict) : verdict;
  });
  return { kind: 'settled', entries };
}

function entryVerdict(type: number, outcome: Outcome | undefined): EntryVerdict {
  if (outcome === undefined) return { parked: 'busy' };
  if (outcome.index !== null) return { index: outcome.index };
  const why = refusal(outcome) ?? 'format';
  const isGateways = type === ENTRY_TYPE.tagReport || type === ENTRY_TYPE.presenceReport;
  const mayPass = why === 'busy' || why === 'sequence' || (why === 'certificate' && isGateways);
  return mayPass ? { parked: why } : { refusal: why, reason: outcome.reason };
}

function givenUp(verdict: EntryVerdict): EntryVerdict {
  const waits = 'parked' in verdict && verdict.parked === 'certificate';
  return waits ? { refusal: verdict.parked, reason: refusalNumber(verdict.parked) } : verdict;
}

/** A reason of a later version counts as a refusal for good: it is kept aside with its number. */
function refusal({ reason }: Outcome): Refusal | undefined {
  try {
    return refusalOf(reason);
  } catch {
    return 'format';
  }
}
