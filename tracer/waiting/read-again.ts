/** Entries that were read and verified before, read again from the ledger: each must be the one that it was. */
import { equalBytes } from '../../protocol/bytes.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { entriesOf, TILE_WIDTH, tileWidthAt } from '../../protocol/tlog/tile.js';
import { AskerError } from '../asker-error.js';
import type { LoggedEntry } from '../follow/payloads.js';
import { LEAF_BYTES } from './waiting-entry.js';
import type { WaitingEntry } from './waiting-entry.js';

/**
 * In their order, of a log of `size` entries. Throws `consistency` when the ledger shows another entry than it
 * did, and what the reader throws.
 */
export async function readAgain(
  reader: LedgerReader,
  wanted: readonly WaitingEntry[],
  size: number,
): Promise<readonly LoggedEntry[]> {
  const found: LoggedEntry[] = [];
  let known: { readonly bundle: number; readonly entries: readonly Uint8Array[] } | undefined;
  for (const { index, leaf } of wanted) {
    const bundle = Math.floor(index / TILE_WIDTH);
    if (known?.bundle !== bundle) {
      const width = tileWidthAt(0, bundle, size);
      known = { bundle, entries: entriesOf(await reader.entryBundle(bundle, width), width) };
    }
    found.push(entryAt(known.entries, index, leaf));
  }
  return found;
}

function entryAt(entries: readonly Uint8Array[], index: number, leaf: Uint8Array): LoggedEntry {
  const bytes = entries[index % TILE_WIDTH];
  if (bytes !== undefined && equalBytes(leafHash(bytes).subarray(0, LEAF_BYTES), leaf))
    return { ...decodeEntry(bytes), index };
  throw new AskerError('consistency', `the ledger shows another entry ${index} than it did before`);
}
