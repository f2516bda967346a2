import type { LedgerReader } from '../protocol/tlog/ledger-reader.js';

/** A reader whose every read is made by `around`, which is to give what the read gives. */
export function eachRead(
  reader: LedgerReader,
  around: <Read>(read: () => Promise<Read>) => Promise<Read>,
): LedgerReader {
  return {
    checkpoint: () => around(() => reader.checkpoint()),
    tile: (...where) => around(() => reader.tile(...where)),
    entryBundle: (...where) => around(() => reader.entryBundle(...where)),
    payloads: (hashes) => around(() => reader.payloads(hashes)),
    close: () => reader.close(),
  };
}
