/**
 * Where a writer keeps what the ledger has not receipted yet. Implementations: spool-memory.ts, spool-level.ts; one
 * contract suite holds for both.
 *
 * Durability: what append(), form(), renumber() or recall() resolved survives a crash. Once formed, a batch
 * has the same number and the same entries for ever, so that it can be sent again byte for byte. A call that
 * rejects has changed nothing and can be made again; settle() then ends the batch as the first call said.
 *
 * Bounds: append() throws `full` rather than grow past the limits, and keeps nothing of that call; of refused
 * entries the newest are kept. Presence reports may take no more than a share: whoever floods a gateway with
 * forged tags must not take the room of what real ones bring.
 */
import type { BatchItem } from '../protocol/mqtt/batch.js';

export type OutboundEntry = BatchItem;

export interface SpooledBatch {
  readonly seq: number;
  /** Ids of the entries, in the same order. An entry keeps its id as long as it is in the spool. */
  readonly ids: readonly number[];
  readonly entries: readonly OutboundEntry[];
}

export interface SpoolLimits {
  readonly maxEntries: number;
  readonly maxBytes: number;
  /** Of the two, the part that presence reports may take. */
  readonly presenceShare: number;
  /**
   * Entries the ledger refused for good that are kept for a person to look at, beside `maxBytes`: a report with all
   * its records takes 51.5 KB, so that 10,000 take at most half a gigabyte.
   */
  readonly maxRefused: number;
}

export const DEFAULT_SPOOL_LIMITS: SpoolLimits = {
  maxEntries: 200_000,
  maxBytes: 1024 * 1024 * 1024,
  presenceShare: 0.25,
  maxRefused: 10_000,
};

export interface BatchLimits {
  readonly maxItems: number;
  readonly maxBytes: number;
}

/** What becomes of the entries of a receipted batch; those not named are forgotten. */
export interface Fates {
  /** Kept, in no batch, until recall(): refused for a reason that may pass. */
  readonly parked: readonly number[];
  /** Kept aside, refused for good. */
  readonly refused: readonly { readonly id: number; readonly reason: number }[];
}

export const NO_FATES: Fates = { parked: [], refused: [] };

export interface RefusedEntry {
  /** The number of the refusal (protocol.md §13). */
  readonly reason: number;
  readonly entry: OutboundEntry;
}

export interface SpoolDepth {
  /** Entries without a ledger receipt, the parked ones too. */
  readonly entries: number;
  readonly bytes: number;
  readonly oldestMs: number | undefined;
  readonly parked: number;
  /** Refused for good and kept aside. */
  readonly refused: number;
}

export interface Spool {
  /** Keeps entries; resolves with their ids, ascending, once they are on disk. Throws `full`. */
  append(entries: readonly OutboundEntry[]): Promise<readonly number[]>;
  /**
   * Makes the next batch, of entries that are in none and not parked; `undefined` when there are none. Throws
   * `size` for an entry that fits no batch.
   */
  form(limits: BatchLimits): Promise<SpooledBatch | undefined>;
  /** The same, of the entries parked longest. */
  recall(limits: BatchLimits): Promise<SpooledBatch | undefined>;
  /**
   * Gives a batch another number, when its own is taken at the ledger: the one that is `step` after the last
   * one given, 1 by default. Throws `not-found`.
   */
  renumber(seq: number, step?: number): Promise<SpooledBatch>;
  /** Batches formed and not settled, by seq: what a restart has to send again. */
  formed(): Promise<readonly SpooledBatch[]>;
  /**
   * Ends a batch; does nothing for one that was not formed. A crash may undo it, as a whole: the batch is
   * then sent and receipted once more. After a call that rejected, the next one ends the batch with the fates
   * of the first: they may be on disk. Resolves with how many entries kept aside had to go to make room.
   */
  settle(seq: number, fates: Fates): Promise<number>;
  /** The entries kept aside, in the order in which they were posted; few of them are in memory at a time. */
  refused(): AsyncIterable<RefusedEntry>;
  /** Forgets them all, once a person has looked at them; they are gone from the disk when it resolves. */
  dropRefused(): Promise<void>;
  /** How many of them are kept aside for each reason. */
  refusedByReason(): ReadonlyMap<number, number>;
  depth(): SpoolDepth;
  close(): Promise<void>;
}
