/**
 * Where a writer keeps what the ledger has not receipted yet. Implementations: spool-memory.ts, spool-level.ts; one
 * contract suite holds for both.
 *
 * Durability: what append() or form() resolved survives a crash, in order. Entries leave only with their batch, by
 * remove(). Once formed, a batch has the same number and the same entries for ever, so that it can be sent again byte
 * for byte. Bounded: append() throws `full` rather than grow past its limits, and nothing of that call is kept.
 */
import type { BatchItem } from '../protocol/batch.js';

export type OutboundEntry = BatchItem;

export interface SpooledBatch {
  readonly seq: number;
  /** Ids of the entries, ascending and without gaps. */
  readonly firstId: number;
  readonly entries: readonly OutboundEntry[];
}

export interface SpoolLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
}

export const DEFAULT_SPOOL_LIMITS: SpoolLimits = { maxEntries: 200_000, maxBytes: 1024 * 1024 * 1024 };

export interface BatchLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

export interface SpoolDepth {
  /** Entries without a ledger receipt. */
  readonly entries: number;
  readonly bytes: number;
  readonly oldestMs: number | undefined;
}

export interface Spool {
  /** Keeps entries; resolves their ids, ascending, once they are on disk. Throws `full`. */
  append(entries: readonly OutboundEntry[]): Promise<readonly number[]>;
  /** Makes the next batch of entries that are in none; undefined when there are none. Throws `size` for one that fits no batch. */
  form(limits: BatchLimits): Promise<SpooledBatch | undefined>;
  /** Batches formed and not removed, by seq: what a restart has to send again. */
  formed(): Promise<readonly SpooledBatch[]>;
  /** Forgets a batch and its entries. May be undone by a crash: the batch is then sent and receipted once more. */
  remove(seq: number): Promise<void>;
  depth(): SpoolDepth;
  close(): Promise<void>;
}
