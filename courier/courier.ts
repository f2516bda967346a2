/**
 * How a writer reaches the ledger (protocol.md §9): entries go to the spool, leave it in signed batches
 * numbered one after the other, and are forgotten only for a receipt of the ledger that verifies. Delivery is
 * at least once; the ledger makes it exactly once.
 *
 * A few batches are under way at a time; entries that come meanwhile wait in the spool and fill the next one.
 * Without a receipt in time, and after each reconnection, a batch is sent again byte for byte. What a receipt
 * says is carried out in receipts.ts: refused for now, entries are tried again with growing pauses, for as
 * long as anybody could open them; refused for good, they are kept aside.
 *
 * Crash cases. After form(), before the batch is sent: it is sent at the next start. After the receipt,
 * before settle(): it is sent again and gets its receipt again.
 */
import { LimitedLog } from '../host/limited-log.js';
import { MAX_BATCH_ITEMS } from '../protocol/mqtt/batch.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import type { Clock } from '../protocol/clock.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import { partyIdOf } from '../protocol/keys.js';
import type { Log } from '../protocol/log.js';
import { encodeWriterStatus } from '../protocol/mqtt/writer-status.js';
import { requireAcceptable } from './acceptable-entry.js';
import { Deliveries } from './deliveries.js';
import type { Delivery } from './deliveries.js';
import { RecallPlan } from './recall.js';
import { countsByName } from './refusal-names.js';
import { Receipts } from './receipts.js';
import type { CourierCounts } from './receipts.js';
import type { BatchLimits, OutboundEntry, Spool } from './spool.js';
import { BatchesUnderWay } from './under-way.js';
import type { BatchUnderWay } from './under-way.js';
import type { Uplink } from './uplink.js';

const BATCH_LIMITS: BatchLimits = { maxItems: MAX_BATCH_ITEMS, maxBytes: 1_048_576 };
/** Batches that wait for a receipt. */
const MAX_ACTIVE = 4;
/** With them, those put off after a refusal. All are held in memory. */
const MAX_UNDER_WAY = 16;
const RECEIPT_WAIT_MS = 10_000;
const RETRY_PAUSE_MS = 1_000;
const CHECK_EVERY_MS = 250;
const STATUS_EVERY_MS = 5_000;

export interface CourierDeps {
  readonly spool: Spool;
  readonly uplink: Uplink;
  readonly signer: Signer;
  readonly ledgerReceiptKey: Uint8Array;
  readonly clock: Pick<Clock, 'nowMs'>;
  readonly log: Log;
  /** Version of the program, for the status topic. */
  readonly version: string;
  /** Wall ms without a receipt after which a batch is sent again; doubles each time. */
  readonly receiptWaitMs?: number;
  /** Wall ms after which what was refused for now is tried again; doubles each time. */
  readonly retryPauseMs?: number;
  /**
   * Whether what was received then, unix ms, is beyond the window: reports that still wait for a certificate
   * are then kept aside. Without it they wait for ever.
   */
  readonly isPastRetention?: (timeMs: number) => boolean;
}

export interface PostedEntry {
  /**
   * Resolves with the ledger's last word on it. Rejects `closed` when the courier closes first (the entry
   * stays spooled), or with the signal's reason.
   */
  delivered(signal?: AbortSignal): Promise<Delivery>;
}

export interface CourierStatus {
  readonly online: boolean;
  /** Why it is not; undefined too while that is not known yet. */
  readonly offlineWhy: string | undefined;
  /** Entries without a ledger receipt, and their bytes. */
  readonly depth: number;
  readonly bytes: number;
  readonly oldestUnsentMs: number | undefined;
  /** Of these, refused for a reason that may pass. */
  readonly parked: number;
  /** Refused for good and kept aside in the spool, now. */
  readonly keptAside: number;
  /** Of these, how many for each refusal, by its name; a number that no refusal has is "reason 99". */
  readonly keptAsideReasons: Readonly<Record<string, number>>;
  /** Since this courier was opened. */
  readonly delivered: number;
  readonly refused: number;
  readonly resent: number;
  readonly renumbered: number;
  /** Receipts that did not verify, or fit no batch under way. */
  readonly strayReceipts: number;
  /** When the ledger last took entries in, deployment ms, and the index of the last of them. */
  readonly lastReceiptMs: number | undefined;
  readonly lastIndex: number | undefined;
}

export interface Courier {
  /**
   * Resolves once the entries are on disk. Throws `full` when the spool is, `size` or `format` for an entry
   * no ledger takes; then nothing of them is kept.
   */
  post(entries: readonly OutboundEntry[]): Promise<readonly PostedEntry[]>;
  /**
   * What this writer received at that time, unix ms, or later is never certified any more: once the ledger
   * refuses it for that, it is kept aside, and not tried again.
   */
  noCertificateFrom(timeMs: number): void;
  /** Resolves when the ledger has receipted everything posted. Rejects with the signal's reason, or `closed`. */
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

class SpoolingCourier implements Courier {
  readonly #deps: CourierDeps;
  /** Limited: a ledger may be in trouble for weeks, and refuse each batch meanwhile. */
  readonly #log: LimitedLog;
  readonly #underWay: BatchesUnderWay;
  readonly #deliveries = new Deliveries();
  readonly #recall: RecallPlan;
  readonly #receipts: Receipts;
  readonly #counts: CourierCounts = { delivered: 0, refused: 0, resent: 0, renumbered: 0, strayReceipts: 0 };
  #forming: Promise<void> | undefined;
  #formAgain = false;
  #formAfterMs = 0;
  #sayingStatus = false;
  #timers: NodeJS.Timeout[] = [];
  #closed = false;
  #uncertifiedFromMs = Infinity;

  constructor(deps: CourierDeps) {
    const { spool, signer, ledgerReceiptKey, clock, retryPauseMs = RETRY_PAUSE_MS } = deps;
    const { isPastRetention = () => false } = deps;
    this.#deps = deps;
    this.#log = new LimitedLog(deps.log);
    this.#recall = new RecallPlan(retryPauseMs);
    this.#underWay = new BatchesUnderWay(signer, deps.receiptWaitMs ?? RECEIPT_WAIT_MS);
    this.#receipts = new Receipts({
      spool,
      ledgerReceiptKey,
      clock,
      retryPauseMs,
      waitsInVain: (timeMs) => timeMs >= this.#uncertifiedFromMs || isPastRetention(timeMs),
      writerId: partyIdOf(signer.publicKey),
      batches: this.#underWay,
      deliveries: this.#deliveries,
      recall: this.#recall,
      counts: this.#counts,
      log: this.#log,
      send: (batches) => this.#sendAll(batches),
      onSettled: () => this.#formMore(),
    });
  }

  async start(): Promise<void> {
    const { spool, uplink } = this.#deps;
    for (const batch of await spool.formed()) this.#underWay.add(batch, false);
    uplink.onReceipt((bytes) => {
      if (!this.#closed) this.#receipts.receive(bytes);
    });
    uplink.onOnline(() => this.#sendAll(this.#underWay.waiting()));
    this.#timers = [
      setInterval(() => this.#tick(), CHECK_EVERY_MS),
      setInterval(() => void this.#sayStatus(true), STATUS_EVERY_MS),
    ];
    this.#formMore();
  }

  async post(entries: readonly OutboundEntry[]): Promise<readonly PostedEntry[]> {
    this.#requireOpen();
    entries.forEach(requireAcceptable);
    const ids = await this.#deps.spool.append(entries);
    const posted = ids.map((id) => this.#deliveries.expect(id));
    if (this.#closed) this.#deliveries.close();
    this.#formMore();
    return posted;
  }

  noCertificateFrom(timeMs: number): void {
    this.#uncertifiedFromMs = Math.min(this.#uncertifiedFromMs, timeMs);
  }

  drained(signal?: AbortSignal): Promise<void> {
    return this.#deliveries.whenever(() => this.#deps.spool.depth().entries === 0, signal);
  }

  status(): CourierStatus {
    const { spool, uplink } = this.#deps;
    const { entries, bytes, oldestMs, parked, refused } = spool.depth();
    return {
      online: uplink.isOnline,
      offlineWhy: uplink.isOnline ? undefined : uplink.trouble,
      depth: entries,
      bytes,
      oldestUnsentMs: oldestMs,
      parked,
      keptAside: refused,
      keptAsideReasons: countsByName(spool.refusedByReason()),
      ...this.#counts,
      lastReceiptMs: this.#receipts.lastAccepted?.atMs,
      lastIndex: this.#receipts.lastAccepted?.index,
    };
  }

  /** Leaves spool and uplink to their owner, after the last status. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    for (const timer of this.#timers) clearInterval(timer);
    await this.#forming;
    await this.#receipts.settled();
    this.#deliveries.close();
    await this.#sayStatus(false);
    this.#log.close();
  }

  #requireOpen(): void {
    if (this.#closed) throw new FirebreakError('closed', 'the courier is closed');
  }

  #tick(): void {
    this.#formMore();
    const due = this.#underWay.due(performance.now());
    const overdue = due.filter(({ sent, isPaused }) => sent > 0 && !isPaused);
    if (overdue.length > 0 && this.#deps.uplink.isOnline)
      this.#log.warn('no receipt from the ledger; sending again', { batches: overdue.length });
    this.#sendAll(due);
  }

  /**
   * Forms batches while there is room under way, unless that is going on already; then it goes on for longer.
   * Rests after a failure.
   */
  #formMore(): void {
    this.#formAgain = true;
    if (this.#forming !== undefined || this.#closed || performance.now() < this.#formAfterMs) return;
    this.#forming = this.#formRounds();
  }

  async #formRounds(): Promise<void> {
    try {
      while (this.#formAgain) {
        this.#formAgain = false;
        await this.#formWhileRoom();
      }
    } catch (error) {
      this.#formAfterMs = performance.now() + STATUS_EVERY_MS;
      this.#log.error('the spool cannot form a batch', { why: asError(error).message });
    }
    this.#forming = undefined;
  }

  async #formWhileRoom(): Promise<void> {
    const { spool } = this.#deps;
    const hasRoom = (): boolean =>
      !this.#closed && this.#underWay.active < MAX_ACTIVE && this.#underWay.size < MAX_UNDER_WAY;
    if (hasRoom() && spool.depth().parked > 0 && this.#recall.isDue(performance.now())) {
      const recalled = await spool.recall(BATCH_LIMITS);
      if (recalled) {
        this.#recall.begin();
        this.#sendAll([this.#underWay.add(recalled, true)]);
      }
    }
    while (hasRoom()) {
      const batch = await spool.form(BATCH_LIMITS);
      if (batch === undefined) return;
      this.#sendAll([this.#underWay.add(batch, false)]);
    }
  }

  #sendAll(batches: readonly BatchUnderWay[]): void {
    if (!this.#deps.uplink.isOnline || this.#closed) return;
    for (const underWay of batches) {
      if (underWay.sent > 0) this.#counts.resent += 1;
      this.#underWay.sending(underWay, performance.now());
      this.#deps.uplink
        .publishBatch(underWay.bytes)
        .catch(() => undefined) // without a receipt it is sent again
        .finally(() => (underWay.isPublishing = false));
    }
  }

  async #sayStatus(online: boolean): Promise<void> {
    if (!this.#deps.uplink.isOnline || (this.#sayingStatus && online)) return;
    this.#sayingStatus = true;
    const { entries, oldestMs } = this.#deps.spool.depth();
    const { version } = this.#deps;
    const status = { online, version, spoolDepth: entries, oldestUnsentMs: oldestMs ?? null };
    await this.#deps.uplink.publishStatus(encodeWriterStatus(status));
    this.#sayingStatus = false;
  }
}
