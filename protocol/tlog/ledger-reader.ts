/**
 * What a reader of the ledger may ask, whoever serves it: the store itself in one process
 * (ledger/readers/reader-level.ts), or the ledger's HTTP (ledger/readers/reader-http.ts). Tile and bundle
 * addresses are C2SP tlog-tiles: `width` is 1..256, 256 for a full tile; a partial one is served at the width
 * of the latest checkpoint or any smaller width.
 */
import type { UnixMs } from '../brands.js';

/** What is left of a payload whose day left the retention window: the ledger's word for which entry ended it. */
export interface PrunedPayload {
  /** Day of the report. */
  readonly day: number;
  /** When the entry that pruned it was appended. */
  readonly prunedAtMs: UnixMs;
  /** Index of that entry, of type 10 (protocol.md §10). */
  readonly prunedBy: number;
}

/** `undefined` when it was never stored, or is lost. */
export type FoundPayload = Uint8Array | PrunedPayload | undefined;

/** The payload itself, if it is there. */
export const bytesOf = (found: FoundPayload): Uint8Array | undefined =>
  found instanceof Uint8Array ? found : undefined;

export const isPruned = (found: FoundPayload): found is PrunedPayload =>
  found !== undefined && 'prunedBy' in found;

export interface LedgerReader {
  /** The latest checkpoint, a signed note (C2SP tlog-checkpoint). Throws `not-found` before the first one. */
  checkpoint(): Promise<string>;
  /** `width` hashes of 32 bytes. Throws `not-found`. */
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
  /** `width` entries, each with a big-endian u16 length before it. Throws `not-found`. */
  entryBundle(index: number, width: number): Promise<Uint8Array>;
  /**
   * The payloads with these SHA-256 hashes, in order, or what became of them. At most 256 a call. Throws
   * `damaged-payload` when one of them is not what was logged; the others can be asked for without it.
   */
  payloads(hashes: readonly Uint8Array[]): Promise<readonly FoundPayload[]>;
  close(): Promise<void>;
}
