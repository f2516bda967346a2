/**
 * A tag's encounter log (protocol.md §6): a ring of 8 MiB for closed records, the oldest overwritten first and counted.
 * Calls are synchronous, as on the microcontroller this stands for: what append() has returned from is stored.
 * Implementations: flash-memory.ts, flash-file.ts.
 */
import { RECORD_BYTES } from '../../protocol/tag/encounter-record.js';

/** Record, number, state and checksum. */
export const SLOT_BYTES = 64;
export const FLASH_SLOTS = (8 * 1024 * 1024) / SLOT_BYTES;
export const STORED_BYTES = RECORD_BYTES;

export interface FlashEntry {
  /** Counts from 0 and never repeats. */
  readonly id: number;
  /** The encoded record; a copy. */
  readonly bytes: Uint8Array;
}

export interface Flash {
  /** Stores encoded records in order. Where the ring is full the oldest goes first and counts as dropped. */
  append(records: readonly Uint8Array[]): void;
  /** What is stored, oldest first, as it was when asked. */
  entries(): Iterable<FlashEntry>;
  /** Forgets records that were delivered. An id that is not stored is passed over. */
  free(ids: Iterable<number>): void;
  /** Forgets records that were not delivered, and counts them. */
  drop(ids: Iterable<number>): void;
  readonly stored: number;
  readonly dropped: number;
  close(): void;
}
