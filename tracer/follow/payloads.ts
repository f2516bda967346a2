/** Fetching what entries name: the payloads lie beside the log, by hash (protocol.md §10). */
import { equalBytes } from '../../protocol/bytes.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { Log } from '../../protocol/log.js';
import { undamagedPayloads } from '../../protocol/tlog/undamaged-payloads.js';

/** As many as a reader hands out at once. */
export const PAYLOADS_AT_ONCE = 256;

/** An entry of a verified log. */
export interface LoggedEntry extends LedgerEntry {
  readonly index: number;
}

/**
 * The payloads of at most {@link PAYLOADS_AT_ONCE} entries, in order, or that they are pruned; `undefined` for
 * one that is missing, for one that the ledger finds damaged, and for one that is not what its entry names. The
 * log is told of the last two: a ledger may lose what it had, but what it gives is to be what it logged.
 */
export async function payloadsOf(
  reader: LedgerReader,
  entries: readonly LoggedEntry[],
  log?: Log,
): Promise<readonly FoundPayload[]> {
  if (entries.length === 0) return [];
  const hashes = entries.map((entry) => entry.payloadSha256);
  const { payloads, damaged } = await undamagedPayloads(reader, hashes);
  const wrong: number[] = [];
  const found = entries.map((entry, place) => {
    const payload = payloads[place];
    if (payload === undefined || isPruned(payload)) return payload;
    if (equalBytes(sha256(payload), entry.payloadSha256)) return payload;
    wrong.push(entry.index);
    return undefined;
  });
  const unread = damaged.flatMap((place) => entries[place]?.index ?? []);
  say(
    log,
    'payloads are damaged in the ledger; those of reports and of approvals of gateways count as missing',
    unread,
  );
  say(
    log,
    'the ledger gave other payloads than it logged; those of reports and of approvals of gateways count as missing',
    wrong,
  );
  return found;
}

function say(log: Log | undefined, what: string, entries: readonly number[]): void {
  if (entries.length === 0) return;
  log?.error(`${what}: stop the ledger, and look with firebreak ledger fsck --data-dir DIR`, {
    count: entries.length,
    firstEntry: entries[0],
  });
}
