/**
 * Whether what a ledger says it pruned was pruned by the book: each payload that is said to be pruned names the entry that
 * ended its day, and that entry of the log must be of type 10 and say so. A lost payload cannot be passed off as pruned.
 */
import type { UnixMs } from '../protocol/brands.js';
import { ENTRY_TYPE } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import type { PrunedPayload } from '../protocol/ledger-reader.js';
import type { IndexedEntry } from '../protocol/log-verifier.js';
import { decodePruningPayload } from '../protocol/payload-pruning.js';
import { dayOf } from '../protocol/time.js';

/** Payloads of one day that are pruned. */
export interface PrunedCount {
  readonly day: number;
  readonly prunedAtMs: UnixMs;
  /** Index of the entry that says so. */
  readonly prunedBy: number;
  readonly payloads: number;
}

interface Claim extends PrunedPayload {
  /** The first entry whose payload is said to be pruned so. */
  readonly entry: number;
  payloads: number;
}

const damaged = (why: string): FirebreakError => new FirebreakError('damaged', why);

/** One verification's worth; a claim is one for each pruned day. */
export class PrunedClaims {
  readonly #claims = new Map<number, Claim>();
  readonly #prunings = new Map<number, { readonly day: number; readonly atMs: UnixMs }>();

  /** The ledger says that the payload of this entry is pruned. Throws `damaged`. */
  claim({ index, type, sourceTimeMs }: IndexedEntry, pruned: PrunedPayload): void {
    if (type !== ENTRY_TYPE.tagReport && type !== ENTRY_TYPE.presenceReport)
      throw damaged(`the payload of entry ${index} is said to be pruned, and only reports are`);
    // A report is of the day after it was received at the latest (protocol.md §8).
    if (pruned.day > dayOf(sourceTimeMs / 1000) + 1)
      throw damaged(`the payload of entry ${index} is said to be pruned with a day that came later`);
    const known = this.#claims.get(pruned.prunedBy);
    if (known && (known.day !== pruned.day || known.prunedAtMs !== pruned.prunedAtMs))
      throw damaged(
        `the payloads of entries ${known.entry} and ${index} are said to be pruned, each otherwise`,
      );
    if (known) known.payloads += 1;
    else this.#claims.set(pruned.prunedBy, { ...pruned, entry: index, payloads: 1 });
  }

  /** An entry of the log with its payload. Throws `format` for one of type 10 that is none. */
  see({ index, type, appendedAtMs }: IndexedEntry, payload: Uint8Array): void {
    if (type !== ENTRY_TYPE.pruning) return;
    this.#prunings.set(index, { day: decodePruningPayload(payload).day, atMs: appendedAtMs });
  }

  /**
   * Once all `size` entries were seen; ascending by day. Throws `damaged` for a claim that no entry bears out, `busy` when
   * the entry that would is newer than what was read.
   */
  confirmed(size: number): PrunedCount[] {
    for (const { entry, day, prunedBy, prunedAtMs } of this.#claims.values()) {
      if (prunedBy >= size)
        throw new FirebreakError('busy', 'a day was pruned while the log was read: run this again');
      const pruning = this.#prunings.get(prunedBy);
      if (pruning?.day === day && pruning.atMs === prunedAtMs && prunedBy > entry) continue;
      throw damaged(
        `the payload of entry ${entry} is said to be pruned by entry ${prunedBy}, which does not say so`,
      );
    }
    const counts = [...this.#claims.values()].map(countOf);
    return counts.sort((a, b) => a.day - b.day);
  }
}

const countOf = ({ day, prunedAtMs, prunedBy, payloads }: Claim): PrunedCount => ({
  day,
  prunedAtMs,
  prunedBy,
  payloads,
});
