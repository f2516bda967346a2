/** What checks batches: on this thread (checker-inline.ts) or on threads beside it (checker-threads.ts). */
import type { CheckedBatch, RefusedBatch } from '../sequence/checked-batch.js';

export interface BatchChecker {
  /** How many batches are worth having under way at a time. */
  readonly width: number;
  /** Why batches are refused as busy since none is left to check them, until one is checked again. */
  readonly failure: string | undefined;
  /**
   * `from`: the writer the bytes came from, if the way they came tells. Throws `format` when no writer can be
   * named.
   */
  check(bytes: Uint8Array, from: Uint8Array | undefined): Promise<CheckedBatch | RefusedBatch>;
  /** To be called when nothing is under way any more. */
  close(): Promise<void>;
}
