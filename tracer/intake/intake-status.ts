/** What an intake says of itself, so that a person can see whether all is well. */
import type { IntakeCounts } from './intake-counts.js';
import type { BorderDays } from './retention-border.js';

export interface IntakeStatus {
  readonly counts: IntakeCounts;
  readonly presence: IntakeCounts;
  /** Reports that another names as the one before it and that have not come. */
  readonly gaps: number;
  /** Reports whose day left the retention window: pruned by an entry of the log, or read before and forgotten. */
  readonly prunedPayloads: number;
  /** Reports, and approvals of gateways, whose payload should be there and is not. */
  readonly missingPayloads: number;
  /** Reports whose day's keys have not come yet. */
  readonly waiting: number;
  /** Reports that found no room to wait: a tracer begun anew finds them. */
  readonly withoutRoom: number;
  /** Whether reports of days within retention show that a tag was copied. */
  readonly hasClones: boolean;
  /** Of these, reports that were logged before the one that stands: a tracer begun anew has them stand. */
  readonly overtaken: number;
  /**
   * Stays that had to go as the book was full, and the unix seconds from which on all are there, where some are
   * gone.
   */
  readonly presenceDropped: number;
  readonly presenceFrom: number | undefined;
  /** What retention goes by: days of the log. */
  readonly border: BorderDays;
  /** Whether contacts are kept that these days would end, had they not leapt. */
  readonly keepsLonger: boolean;
}
