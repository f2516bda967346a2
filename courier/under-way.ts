/**
 * Batches formed and not settled: which are to be sent when, and which one a receipt is for. Bounded by its
 * owner. Times are of a monotonic clock, wall ms.
 */
import { batchHash, encodeBatch } from '../protocol/mqtt/batch.js';
import { toHex } from '../protocol/bytes.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { partyIdOf } from '../protocol/keys.js';
import type { SpooledBatch } from './spool.js';
import type { SettledVerdict } from './verdict.js';

const LONGEST_PAUSE_MS = 120_000;

export interface BatchUnderWay {
  readonly batch: SpooledBatch;
  readonly bytes: Uint8Array;
  readonly hash: string;
  /** Its entries had been parked. */
  readonly isRecalled: boolean;
  /** When it is to be sent (again). */
  dueMs: number;
  pauseMs: number;
  /** How often it was sent. */
  sent: number;
  /** How often it was put off. */
  pauses: number;
  /** How often it was refused as a whole, for a reason that may be the last word on it (verdict.ts). */
  refusals: number;
  /** Put off: not sent before its time, not even on a new connection. */
  isPaused: boolean;
  /** Handed to the broker, no PUBACK yet. */
  isPublishing: boolean;
  /** A receipt for it is being carried out. */
  isSettling: boolean;
  /**
   * What the spool was told to settle it with. That may be on disk even if the spool failed, so no later
   * receipt changes it.
   */
  settledWith: SettledVerdict | undefined;
}

export class BatchesUnderWay {
  readonly #signer: Signer;
  readonly #receiptWaitMs: number;
  readonly #batches = new Map<string, BatchUnderWay>();

  constructor(signer: Signer, receiptWaitMs: number) {
    this.#signer = signer;
    this.#receiptWaitMs = receiptWaitMs;
  }

  add(batch: SpooledBatch, isRecalled: boolean): BatchUnderWay {
    const { seq, entries } = batch;
    const writerId = partyIdOf(this.#signer.publicKey);
    const bytes = encodeBatch({ writerId, seq, items: entries }, this.#signer);
    const underWay: BatchUnderWay = {
      batch,
      bytes,
      hash: toHex(batchHash(bytes)),
      isRecalled,
      dueMs: 0,
      pauseMs: this.#receiptWaitMs,
      sent: 0,
      pauses: 0,
      refusals: 0,
      isPaused: false,
      isPublishing: false,
      isSettling: false,
      settledWith: undefined,
    };
    this.#batches.set(underWay.hash, underWay);
    return underWay;
  }

  find(hash: Uint8Array): BatchUnderWay | undefined {
    return this.#batches.get(toHex(hash));
  }

  remove({ hash }: BatchUnderWay): void {
    this.#batches.delete(hash);
  }

  get size(): number {
    return this.#batches.size;
  }

  /** Those that are not put off. */
  get active(): number {
    return [...this.#batches.values()].filter(({ isPaused }) => !isPaused).length;
  }

  /** Those to be sent now, by seq. */
  due(nowMs: number): BatchUnderWay[] {
    return this.#toSend((underWay) => underWay.dueMs <= nowMs);
  }

  /** Those to be sent on a new connection, by seq: all that are not put off. */
  waiting(): BatchUnderWay[] {
    return this.#toSend(({ isPaused }) => !isPaused);
  }

  sending(underWay: BatchUnderWay, nowMs: number): void {
    if (underWay.sent > 0) underWay.pauseMs = Math.min(LONGEST_PAUSE_MS, underWay.pauseMs * 2);
    underWay.sent += 1;
    underWay.isPaused = false;
    underWay.isPublishing = true;
    underWay.dueMs = nowMs + underWay.pauseMs;
  }

  /** Refused as a whole, or its receipt could not be noted: it waits longer each time. */
  putOff(underWay: BatchUnderWay, nowMs: number, firstPauseMs: number): void {
    underWay.dueMs = nowMs + Math.min(LONGEST_PAUSE_MS, firstPauseMs * 2 ** underWay.pauses);
    underWay.pauses += 1;
    underWay.isPaused = true;
  }

  #toSend(which: (underWay: BatchUnderWay) => boolean): BatchUnderWay[] {
    return [...this.#batches.values()]
      .filter((underWay) => !underWay.isPublishing && !underWay.isSettling && which(underWay))
      .sort((x, y) => x.batch.seq - y.batch.seq);
  }
}
