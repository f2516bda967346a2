/** Fetching what entries name: the payloads lie beside the log, by hash (protocol.md §10). */
import { equalBytes } from '../protocol/bytes.js';
import type { LedgerEntry } from '../protocol/entry.js';
import { sha256 } from '../protocol/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../protocol/ledger-reader.js';

/** As many as a reader hands out at once. */
export const PAYLOADS_AT_ONCE = 256;

/** An entry of a verified log. */
export interface LoggedEntry extends LedgerEntry {
  readonly index: number;
}

/**
 * The payloads of at most {@link PAYLOADS_AT_ONCE} entries, in order, or that they are pruned; `undefined` for one that is
 * missing, and for one that is not what its entry names.
 */
export async function payloadsOf(
  reader: LedgerReader,
  entries: readonly LoggedEntry[],
): Promise<readonly FoundPayload[]> {
  if (entries.length === 0) return [];
  const payloads = await reader.payloads(entries.map((entry) => entry.payloadSha256));
  return entries.map((entry, place) => {
    const payload = payloads[place];
    if (payload === undefined || isPruned(payload)) return payload;
    return equalBytes(sha256(payload), entry.payloadSha256) ? payload : undefined;
  });
}
