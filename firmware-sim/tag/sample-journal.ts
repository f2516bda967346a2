/**
 * Samples of records that are still open, so that these survive a restart (protocol.md §6): played back into an empty
 * table they make the same records. Kept by the epoch of their record, and forgotten when that epoch's records are in flash.
 * Implementation: sample-journal-file.ts.
 */
import type { Sample } from './open-record.js';

export interface SampleJournal {
  append(epoch: number, sample: Sample): void;
  /** By epoch, then in the order in which they were noted. */
  samples(): Iterable<Sample>;
  /** Notes that read back spoilt when samples() was asked last, and were passed over. */
  readonly spoilt: number;
  /** Of which there is something to forget, be it spoilt. */
  epochs(): readonly number[];
  forget(epoch: number): void;
  close(): void;
}

export const noSampleJournal: SampleJournal = {
  append: () => {},
  samples: () => [],
  spoilt: 0,
  epochs: () => [],
  forget: () => {},
  close: () => {},
};
