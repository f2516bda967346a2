/** Counts of payloads that are not there: those that were pruned with their day, and those that should be there. */
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import type { PrunedPayload } from '../../protocol/tlog/ledger-reader.js';
import { isRevocationLength } from '../../protocol/payload/gateway.js';
import { isAcceptedDay } from '../../protocol/tag/report-check.js';
import { dayOf } from '../../protocol/time.js';
import type { LoggedEntry } from '../follow/payloads.js';

export class AbsentPayloads {
  readonly #retentionDays: number;
  #missing = 0;
  #pruned = 0;

  constructor(retentionDays: number) {
    this.#retentionDays = retentionDays;
  }

  /** Those that should be there. */
  get missing(): number {
    return this.#missing;
  }

  /** Those whose day left retention. */
  get pruned(): number {
    return this.#pruned;
  }

  /** As another life had them. */
  restore(missing: number, pruned: number): void {
    [this.#missing, this.#pruned] = [missing, pruned];
  }

  /** Reports that were read before and have left retention. */
  addForgotten(count: number): void {
    this.#pruned += count;
  }

  /**
   * Gives whether it was pruned with its day. A missing certificate takes all presence reports of its gateway with it,
   * unless another is there; a missing revocation takes nothing, since nobody reads it. A payload is called pruned
   * rightly only where its day had left retention when it went: otherwise the ledger has lost it.
   */
  add({ type, sourceTimeMs, payloadLength }: LoggedEntry, pruned: PrunedPayload | undefined): boolean {
    const retentionDays = this.#retentionDays;
    if (type === ENTRY_TYPE.gateway && isRevocationLength(payloadLength)) return false;
    const isByTheBook =
      type !== ENTRY_TYPE.gateway && // kept for as long as the log
      pruned !== undefined &&
      isAcceptedDay(pruned.day, sourceTimeMs / 1000, retentionDays) &&
      pruned.day < dayOf(pruned.prunedAtMs / 1000) - retentionDays;
    if (isByTheBook) this.#pruned += 1;
    else this.#missing += 1;
    return isByTheBook;
  }
}
