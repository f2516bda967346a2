/**
 * How a writer reaches the ledger (protocol.md §9): entries go to the spool, leave it in signed batches without gaps in
 * their numbers, and are forgotten only for a receipt of the ledger that verifies. Delivery is at least once; the ledger
 * makes it exactly once.
 *
 * A few batches are under way at a time; entries that come meanwhile wait in the spool and fill the next one. Without a
 * receipt in time, and after each reconnection, all that are under way are sent again, in order, byte for byte.
 */
import { batchHash, encodeBatch, MAX_BATCH_ITEMS } from '../protocol/batch.js';
import { equalBytes } from '../protocol/bytes.js';
import type { Signer } from '../protocol/ed25519.js';
import { FirebreakError, refusalOf } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import { openLedgerReceipt } from '../protocol/ledger-receipt.js';
import type { LedgerReceipt, Outcome } from '../protocol/ledger-receipt.js';
import type { Log } from '../protocol/log.js';
import { encodeWriterStatus } from '../protocol/writer-status.js';
import type { BatchLimits, OutboundEntry, Spool, SpooledBatch } from './spool.js';
import type { Uplink } from './uplink.js';

const BATCH_LIMITS: BatchLimits = { maxItems: MAX_BATCH_ITEMS, maxBytes: 1_048_576 };
const UNDER_WAY_AT_ONCE = 4;
const RECEIPT_WAIT_MS = 10_000;
const LONGEST_RECEIPT_WAIT_MS = 120_000;
const CHECK_EVERY_MS = 500;
const STATUS_EVERY_MS = 5_000;

export interface CourierDeps {
  readonly spool: Spool;
  readonly uplink: Uplink;
  readonly signer: Signer;
  readonly ledgerReceiptKey: Uint8Array;
  readonly log: Log;
  /** Of the program, for the status topic. */
  readonly version: string;
  /** Wall ms without a receipt after which batches are sent again; doubles each time. */
  readonly receiptWaitMs?: number;
}

/** `index` is the entry's place in the ledger; without one it was refused for `refusal`. */
export type Delivery = { readonly index: number } | { readonly index: undefined; readonly refusal: string };

export interface PostedEntry {
  /** Resolves with the ledger's word on it. Rejects `closed` when the courier closes first; the entry stays spooled. */
  delivered(): Promise<Delivery>;
}

export interface CourierStatus {
  readonly online: boolean;
  /** Entries without a ledger receipt, and their bytes. */
  readonly depth: number;
  readonly bytes: number;
  readonly oldestUnsentMs: number | undefined;
  /** Since this courier was opened. */
  readonly delivered: number;
  readonly refused: number;
  readonly resent: number;
  /** Receipts that did not verify, or fit no batch under way. */
  readonly strayReceipts: number;
  readonly lastReceiptWallMs: number | undefined;
}

export interface Courier {
  /** Resolves once the entries are on disk. Throws `full` when the spool is; then nothing of them is kept. */
  post(entries: readonly OutboundEntry[]): Promise<readonly PostedEntry[]>;
  /** Resolves when the ledger has receipted everything posted. Rejects with the signal's reason. */
  drained(signal?: AbortSignal): Promise<void>;
  status(): CourierStatus;
  close(): Promise<void>;
}

/** Takes up what an earlier run left in the spool. */
export async function openCourier(deps: CourierDeps): Promise<Courier> {
  const courier = new SpoolingCourier(deps);
  await courier.start();
  return courier;
}

interface UnderWay {
  readonly batch: SpooledBatch;
  readonly bytes: Uint8Array;
  readonly hash: Uint8Array;
}

interface Waiter {
  resolve(delivery: Delivery): void;
  reject(error: unknown): void;
}

class SpoolingCourier implements Courier {
  readonly #deps: CourierDeps;
  readonly #writerId: Uint8Array;
  readonly #underWay = new Map<number, UnderWay>();
  readonly #waiters = new Map<number, Waiter>();
  readonly #drainListeners = new Set<() => void>();
  readonly #counts = { delivered: 0, refused: 0, resent: 0, strayReceipts: 0 };
  #lastReceiptWallMs: number | undefined;
  #sentWallMs = 0;
  #waitMs: number;
  #forming: Promise<void> | undefined;
  #timers: NodeJS.Timeout[] = [];
  #closed = false;

  constructor(deps: CourierDeps) {
    this.#deps = deps;
    this.#writerId = partyIdOf(deps.signer.publicKey);
    this.#waitMs = deps.receiptWaitMs ?? RECEIPT_WAIT_MS;
  }

  async start(): Promise<void> {
    for (const batch of await this.#deps.spool.formed()) this.#take(batch);
    this.#deps.uplink.onReceipt((bytes) => this.#receive(bytes));
    this.#deps.uplink.onOnline(() => this.#resendAll());
    this.#timers = [
      setInterval(() => this.#resendOverdue(), CHECK_EVERY_MS),
      setInterval(() => void this.#sayStatus(), STATUS_EVERY_MS),
    ];
    this.#kick();
  }

  async post(entries: readonly OutboundEntry[]): Promise<readonly PostedEntry[]> {
    if (this.#closed) throw new FirebreakError('closed', 'the courier is closed');
    const ids = await this.#deps.spool.append(entries);
    const posted = ids.map((id) => {
      const answer = new Promise<Delivery>((resolve, reject) => this.#waiters.set(id, { resolve, reject }));
      answer.catch(() => undefined); // nobody need ask
      return { delivered: () => answer };
    });
    this.#kick();
    return posted;
  }

  drained(signal?: AbortSignal): Promise<void> {
    if (this.#isDrained()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const settle = (finish: () => void): void => {
        this.#drainListeners.delete(check);
        signal?.removeEventListener('abort', aborted);
        finish();
      };
      const check = (): void => {
        if (this.#closed) settle(() => reject(new FirebreakError('closed', 'the courier is closed')));
        else if (this.#isDrained()) settle(resolve);
      };
      const aborted = (): void => settle(() => reject(signal?.reason as Error));
      this.#drainListeners.add(check);
      signal?.addEventListener('abort', aborted, { once: true });
      if (signal?.aborted) aborted();
    });
  }

  status(): CourierStatus {
    const { entries, bytes, oldestMs } = this.#deps.spool.depth();
    return {
      online: this.#deps.uplink.isOnline,
      depth: entries,
      bytes,
      oldestUnsentMs: oldestMs,
      ...this.#counts,
      lastReceiptWallMs: this.#lastReceiptWallMs,
    };
  }

  /** Leaves spool and uplink to their owner, after the last status. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#forming;
    for (const waiter of this.#waiters.values())
      waiter.reject(new FirebreakError('closed', 'the courier is closed'));
    this.#waiters.clear();
    for (const check of this.#drainListeners) check();
    await this.#sayStatus(false);
  }

  #isDrained(): boolean {
    return this.#deps.spool.depth().entries === 0;
  }

  /** Forms batches while there is room under way; one caller at a time. */
  #kick(): void {
    if (this.#forming !== undefined || this.#closed) return;
    this.#forming = this.#formAll()
      .catch((error: unknown) =>
        this.#deps.log.error('the spool cannot form a batch', { why: String(error) }),
      )
      .finally(() => (this.#forming = undefined));
  }

  async #formAll(): Promise<void> {
    while (!this.#closed && this.#underWay.size < UNDER_WAY_AT_ONCE) {
      const batch = await this.#deps.spool.form(BATCH_LIMITS);
      if (batch === undefined) return;
      this.#send(this.#take(batch));
    }
  }

  #take(batch: SpooledBatch): UnderWay {
    const { seq, entries } = batch;
    const bytes = encodeBatch({ writerId: this.#writerId, seq, items: entries }, this.#deps.signer);
    const underWay = { batch, bytes, hash: batchHash(bytes) };
    this.#underWay.set(seq, underWay);
    return underWay;
  }

  #send({ bytes }: UnderWay): void {
    this.#sentWallMs = Date.now();
    if (!this.#deps.uplink.isOnline) return;
    // A failure here needs no handling: without a receipt the batch is sent again.
    this.#deps.uplink.publishBatch(bytes).catch(() => undefined);
  }

  #resendAll(): void {
    for (const [, underWay] of [...this.#underWay].sort(([x], [y]) => x - y)) this.#send(underWay);
  }

  #resendOverdue(): void {
    if (this.#underWay.size === 0 || !this.#deps.uplink.isOnline) return;
    if (Date.now() - this.#sentWallMs < this.#waitMs) return;
    this.#counts.resent += this.#underWay.size;
    this.#waitMs = Math.min(LONGEST_RECEIPT_WAIT_MS, this.#waitMs * 2);
    this.#deps.log.warn('no receipt from the ledger; sending again', { batches: this.#underWay.size });
    this.#resendAll();
  }

  #receive(bytes: Uint8Array): void {
    const settled = this.#match(bytes);
    if (settled === undefined) {
      this.#counts.strayReceipts += 1;
      return;
    }
    const [{ batch }, receipt] = settled;
    if (receipt.outcomes.every(isForNow)) return; // sent again when the receipt is overdue
    this.#underWay.delete(batch.seq);
    this.#waitMs = this.#deps.receiptWaitMs ?? RECEIPT_WAIT_MS;
    this.#lastReceiptWallMs = Date.now();
    batch.entries.forEach((_, k) => this.#settle(batch.firstId + k, receipt.outcomes[k]));
    this.#forget(batch.seq);
  }

  /** The batch under way that this receipt is for; undefined when it is nobody's or forged. */
  #match(bytes: Uint8Array): [UnderWay, LedgerReceipt] | undefined {
    try {
      const receipt = openLedgerReceipt(bytes, this.#deps.ledgerReceiptKey);
      const underWay = this.#underWay.get(receipt.seq);
      const fits =
        underWay !== undefined &&
        equalBytes(receipt.writerId, this.#writerId) &&
        equalBytes(receipt.batchHash, underWay.hash) &&
        receipt.outcomes.length === underWay.batch.entries.length;
      return fits ? [underWay, receipt] : undefined;
    } catch (error) {
      this.#deps.log.warn('a ledger receipt does not verify', { why: String(error) });
      return undefined;
    }
  }

  #settle(id: number, outcome: Outcome | undefined): void {
    const index = outcome?.index ?? undefined;
    const refusal = refusalOf(outcome?.reason ?? 0) ?? 'unknown';
    if (index === undefined) {
      this.#counts.refused += 1;
      this.#deps.log.warn('the ledger refused an entry', { reason: refusal });
    } else this.#counts.delivered += 1;
    this.#waiters.get(id)?.resolve(index === undefined ? { index: undefined, refusal } : { index });
    this.#waiters.delete(id);
  }

  #forget(seq: number): void {
    void this.#deps.spool
      .remove(seq)
      .catch((error: unknown) =>
        this.#deps.log.error('the spool cannot forget a batch', { why: String(error) }),
      )
      .then(() => {
        for (const check of [...this.#drainListeners]) check();
        this.#kick();
      });
  }

  async #sayStatus(online = true): Promise<void> {
    const { entries, oldestMs } = this.#deps.spool.depth();
    const { version } = this.#deps;
    const status = encodeWriterStatus({
      online,
      version,
      spoolDepth: entries,
      oldestUnsentMs: oldestMs ?? null,
    });
    if (this.#deps.uplink.isOnline) await this.#deps.uplink.publishStatus(status);
  }
}

/** Refusals of a whole batch that time can mend: a ledger under load, a certificate not yet or no longer in the log. */
function isForNow({ index, reason }: Outcome): boolean {
  const refusal = refusalOf(reason);
  return index === null && (refusal === 'busy' || refusal === 'certificate');
}
