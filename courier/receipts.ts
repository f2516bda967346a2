/**
 * What a courier does with the ledger's receipts: each is verified, judged (verdict.ts) and carried out in
 * the spool.
 */
import { isToldByDoubling } from '../host/limited-log.js';
import { equalBytes } from '../protocol/bytes.js';
import { asError } from '../protocol/errors.js';
import { openLedgerReceipt } from '../protocol/mqtt/ledger-receipt.js';
import type { LedgerReceipt } from '../protocol/mqtt/ledger-receipt.js';
import type { Clock } from '../protocol/clock.js';
import type { Log } from '../protocol/log.js';
import type { Deliveries } from './deliveries.js';
import type { RecallPlan } from './recall.js';
import type { Spool } from './spool.js';
import type { BatchesUnderWay, BatchUnderWay } from './under-way.js';
import { verdictOn } from './verdict.js';
import type { EntryVerdict, VerdictContext } from './verdict.js';

/** Since the courier was opened. */
export interface CourierCounts {
  delivered: number;
  refused: number;
  resent: number;
  renumbered: number;
  strayReceipts: number;
}

export interface ReceiptDeps {
  readonly spool: Spool;
  readonly batches: BatchesUnderWay;
  readonly deliveries: Deliveries;
  readonly recall: RecallPlan;
  readonly counts: CourierCounts;
  readonly writerId: Uint8Array;
  readonly ledgerReceiptKey: Uint8Array;
  readonly retryPauseMs: number;
  readonly waitsInVain: VerdictContext['waitsInVain'];
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  readonly send: (batches: readonly BatchUnderWay[]) => void;
  /** After each receipt that fitted a batch: there may be room for another. */
  readonly onSettled: () => void;
}

/**
 * A batch whose number is taken skips at most so many: it takes 2^24 such refusals to get to the last number
 * of all.
 */
const LONGEST_STEP = 2 ** 24;

export class Receipts {
  readonly #deps: ReceiptDeps;
  readonly #settling = new Set<Promise<void>>();
  #lastAccepted: { readonly atMs: number; readonly index: number } | undefined;
  #unverified = 0;
  /** Batches given another number since one was last settled. */
  #renumberedInARow = 0;

  constructor(deps: ReceiptDeps) {
    this.#deps = deps;
  }

  /** When the ledger last took entries in, deployment ms, and the index of the last of them. */
  get lastAccepted(): { readonly atMs: number; readonly index: number } | undefined {
    return this.#lastAccepted;
  }

  /** Verifies a receipt and carries out what it says, in the background. */
  receive(bytes: Uint8Array): void {
    const { batches, counts, deliveries, retryPauseMs, log, onSettled } = this.#deps;
    const receipt = this.#open(bytes);
    const underWay = receipt && batches.find(receipt.batchHash);
    if (receipt === undefined || underWay === undefined || underWay.isSettling) {
      counts.strayReceipts += 1;
      return;
    }
    underWay.isSettling = true;
    const settling = this.#carryOut(underWay, receipt)
      .catch((error: unknown) => {
        batches.putOff(underWay, performance.now(), retryPauseMs);
        log.error('the spool cannot note a receipt; the batch is sent again', {
          why: asError(error).message,
        });
      })
      .finally(() => {
        underWay.isSettling = false;
        this.#settling.delete(settling);
        deliveries.check();
        onSettled();
      });
    this.#settling.add(settling);
  }

  /** Resolves when those taken so far are carried out. */
  async settled(): Promise<void> {
    await Promise.all(this.#settling);
  }

  /** `undefined` for one that is forged, damaged or another writer's. */
  #open(bytes: Uint8Array): LedgerReceipt | undefined {
    const { ledgerReceiptKey, writerId, log } = this.#deps;
    try {
      const receipt = openLedgerReceipt(bytes, ledgerReceiptKey);
      return equalBytes(receipt.writerId, writerId) ? receipt : undefined;
    } catch (error) {
      const sofar = (this.#unverified += 1);
      if (isToldByDoubling(sofar))
        log.warn('a ledger receipt does not verify', { why: asError(error).message, sofar });
      return undefined;
    }
  }

  async #carryOut(underWay: BatchUnderWay, receipt: LedgerReceipt): Promise<void> {
    const { counts, batches, retryPauseMs, waitsInVain, log } = this.#deps;
    const said = verdictOn(underWay.batch, receipt, { refusals: underWay.refusals, waitsInVain });
    if (said === undefined) {
      counts.strayReceipts += 1;
      return;
    }
    const verdict = underWay.settledWith ?? said;
    if (verdict.kind === 'later') {
      batches.putOff(underWay, performance.now(), retryPauseMs);
      if (verdict.refusal !== 'busy') underWay.refusals += 1;
      const fields = { reason: verdict.refusal, entries: underWay.batch.entries.length };
      log.warn('the ledger does not take a batch now; trying again later', fields);
    } else if (verdict.kind === 'renumber') await this.#renumber(underWay);
    else {
      underWay.settledWith = verdict;
      await this.#settle(underWay, verdict.entries);
      this.#renumberedInARow = 0;
    }
  }

  /**
   * The ledger may hold any number of batches of an earlier life of the spool: each time twice as many
   * numbers are skipped.
   */
  async #renumber(underWay: BatchUnderWay): Promise<void> {
    const { spool, batches, counts, log, send } = this.#deps;
    const step = Math.min(LONGEST_STEP, 2 ** this.#renumberedInARow);
    const again = await spool.renumber(underWay.batch.seq, step);
    const sofar = (this.#renumberedInARow += 1);
    batches.remove(underWay);
    counts.renumbered += 1;
    if (isToldByDoubling(sofar))
      log.warn(
        'the ledger holds another batch under this number (a spool lost, or an old copy of it?); taking a later one',
        { taken: underWay.batch.seq, next: again.seq, sofar },
      );
    send([batches.add(again, underWay.isRecalled)]);
  }

  async #settle(underWay: BatchUnderWay, verdicts: readonly EntryVerdict[]): Promise<void> {
    const { spool, batches, recall, clock, log } = this.#deps;
    const { ids, seq } = underWay.batch;
    const named = ids.flatMap((id, k) => {
      const verdict = verdicts[k];
      return verdict ? [{ id, verdict }] : [];
    });
    const parked = named.flatMap(({ id, verdict }) => ('parked' in verdict ? [id] : []));
    const firstParked = verdicts.find((verdict) => 'parked' in verdict);
    const refused = named.flatMap(({ id, verdict }) =>
      'reason' in verdict ? [{ id, reason: verdict.reason }] : [],
    );
    const dropped = await spool.settle(seq, { parked, refused });
    batches.remove(underWay);
    recall.answered(underWay.isRecalled, parked.length, performance.now());
    for (const { id, verdict } of named) this.#tell(id, verdict);
    const index = verdicts.flatMap((verdict) => ('index' in verdict ? [verdict.index] : [])).at(-1);
    if (index !== undefined) this.#lastAccepted = { atMs: clock.nowMs(), index };
    if (refused.length > 0)
      log.error('the ledger refused entries for good; they are kept aside in the spool', {
        entries: refused.length,
        reasons: reasonsOf(verdicts),
      });
    if (dropped > 0)
      log.error('of what the ledger refused, the oldest was dropped: the spool has no room for more of it', {
        entries: dropped,
      });
    if (parked.length > 0)
      log.warn('the ledger refused entries for now; they are kept and tried again', {
        entries: parked.length,
        reason: firstParked?.parked,
      });
  }

  #tell(id: number, verdict: EntryVerdict): void {
    const { counts, deliveries } = this.#deps;
    if ('parked' in verdict) return;
    if ('index' in verdict) {
      counts.delivered += 1;
      deliveries.tell(id, { index: verdict.index });
      return;
    }
    counts.refused += 1;
    deliveries.tell(id, { index: undefined, refusal: verdict.refusal });
  }
}

function reasonsOf(verdicts: readonly EntryVerdict[]): string {
  const reasons = verdicts.flatMap((verdict) => ('refusal' in verdict ? [verdict.refusal] : []));
  return [...new Set(reasons)].join(', ');
}
