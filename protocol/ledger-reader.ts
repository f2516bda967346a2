/**
 * What a reader of the ledger may ask, whoever serves it: the store itself in one process
 * (ledger/reader-level.ts), or the ledger's HTTP (ledger/reader-http.ts). Tile and bundle addresses are C2SP
 * tlog-tiles: `width` is 1..256, 256 for a full tile; a partial one is served at the width of the latest
 * checkpoint or any smaller width.
 */
export interface LedgerReader {
  /** The latest checkpoint, a signed note (C2SP tlog-checkpoint). Throws `not-found` before the first one. */
  checkpoint(): Promise<string>;
  /** `width` hashes of 32 bytes. Throws `not-found`. */
  tile(level: number, index: number, width: number): Promise<Uint8Array>;
  /** `width` entries, each with a big-endian u16 length before it. Throws `not-found`. */
  entryBundle(index: number, width: number): Promise<Uint8Array>;
  /** The payloads with these SHA-256 hashes, in order; `undefined` for one that was pruned or never stored. At most 256 a call. */
  payloads(hashes: readonly Uint8Array[]): Promise<readonly (Uint8Array | undefined)[]>;
  close(): Promise<void>;
}
