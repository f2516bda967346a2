/**
 * Whether what a ledger says it pruned can have been pruned by the rules. For each payload it claims to have
 * pruned, it names the day and the entry that pruned that day. The entry must be of type 10, say so, and come
 * after the payload's own; and a report received when its entry says must be able to be of that day. The day
 * itself stands inside the payload. So a lost payload can be passed off as pruned with a pruned day of the
 * window before it was received, and with no other.
 */
import type { UnixMs } from '../../protocol/brands.js';
import { ENTRY_TYPE, isReport } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { PrunedPayload } from '../../protocol/tlog/ledger-reader.js';
import type { IndexedEntry } from '../../protocol/tlog/log-verifier.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { isAcceptedDay } from '../../protocol/tag/report-check.js';

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

/**
 * What a tag keeps (protocol.md §6). A deployment may have made its window smaller since a report was taken
 * in; no tag had an older one to give.
 */
const TAG_KEEPS_DAYS = 21;

const damaged = (why: string): FirebreakError => new FirebreakError('damaged', why);

/**
 * Collects, in the course of one verification, what the ledger claims of each pruned day, and what the log
 * says of it.
 */
export class PrunedClaims {
  readonly #claims = new Map<number, Claim>();
  /** By index; without a day where the payload that names it is damaged. */
  readonly #prunings = new Map<number, { readonly day: number | undefined; readonly atMs: UnixMs }>();
  /** How many days before it was received a report's day may lie. */
  readonly #oldestDays: number;

  /** `retentionDays` is the deployment's window. */
  constructor(retentionDays: number) {
    this.#oldestDays = Math.max(retentionDays, TAG_KEEPS_DAYS);
  }

  /** The ledger says that the payload of this entry is pruned. Throws `damaged`. */
  claim({ index, type, sourceTimeMs }: IndexedEntry, pruned: PrunedPayload): void {
    if (!isReport(type))
      throw damaged(`the payload of entry ${index} is said to be pruned, and only reports are`);
    if (!isAcceptedDay(pruned.day, sourceTimeMs / 1000, this.#oldestDays))
      throw damaged(
        `the payload of entry ${index} is said to be pruned with a day that it cannot be of: reports are taken in until ` +
          `${this.#oldestDays} days after theirs (if retentionDays was larger once, set it so for this check)`,
      );
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

  /** An entry of type 10 whose payload is damaged: of which day it is, nobody can tell. */
  seeDamaged({ index, appendedAtMs }: IndexedEntry): void {
    this.#prunings.set(index, { day: undefined, atMs: appendedAtMs });
  }

  /**
   * Once all `size` entries were seen: what was pruned, ascending by day, and how many payloads may have
   * been, by an entry that cannot be read. Throws `damaged` for a claim that no entry bears out,
   * `unconfirmed` when the entry that would lies beyond the checkpoint.
   */
  confirmed(size: number): { readonly pruned: readonly PrunedCount[]; readonly unproven: number } {
    const pruned: PrunedCount[] = [];
    let unproven = 0;
    for (const claim of this.#claims.values()) {
      const { entry, prunedBy } = claim;
      if (prunedBy >= size) throw beyond(entry, prunedBy, size);
      if (!this.#isBorneOut(claim))
        throw damaged(
          `the payload of entry ${entry} is said to be pruned by entry ${prunedBy}, which does not say so`,
        );
      if (this.#prunings.get(prunedBy)?.day === undefined) unproven += claim.payloads;
      else pruned.push(countOf(claim));
    }
    return { pruned: pruned.sort((a, b) => a.day - b.day), unproven };
  }

  /** As far as the entry can be read. */
  #isBorneOut({ entry, day, prunedBy, prunedAtMs }: Claim): boolean {
    const pruning = this.#prunings.get(prunedBy);
    return pruning?.atMs === prunedAtMs && (pruning.day ?? day) === day && prunedBy > entry;
  }
}

/** A ledger prunes as soon as it commits; what readers are shown waits for witnesses, for days when these are away. */
const beyond = (entry: number, prunedBy: number, size: number): FirebreakError =>
  new FirebreakError(
    'unconfirmed',
    `the payload of entry ${entry} is said to be pruned by entry ${prunedBy}, which this checkpoint of ${size} entries does not ` +
      'reach yet. Verify a later one: it is there at once, or where witnesses must cosign, when they do (ledger status ' +
      'says who does not)',
  );

const countOf = ({ day, prunedAtMs, prunedBy, payloads }: Claim): PrunedCount => ({
  day,
  prunedAtMs,
  prunedBy,
  payloads,
});
