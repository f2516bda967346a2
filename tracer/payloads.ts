/** Fetching what entries name: the payloads lie beside the log, by hash (protocol.md §10). */
import { equalBytes } from '../protocol/bytes.js';
import type { LedgerEntry } from '../protocol/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import { sha256 } from '../protocol/hash.js';
import { isPruned, type FoundPayload, type LedgerReader } from '../protocol/ledger-reader.js';
import type { Log } from '../protocol/log.js';

/** As many as a reader hands out at once. */
export const PAYLOADS_AT_ONCE = 256;

/** An entry of a verified log. */
export interface LoggedEntry extends LedgerEntry {
  readonly index: number;
}

/**
 * The payloads of at most {@link PAYLOADS_AT_ONCE} entries, in order, or that they are pruned; `undefined` for one that is
 * missing, for one that the ledger finds damaged, and for one that is not what its entry names. The log is told of the last two:
 * a ledger may lose what it had, but what it gives is to be what it logged.
 */
export async function payloadsOf(
  reader: LedgerReader,
  entries: readonly LoggedEntry[],
  log?: Log,
): Promise<readonly FoundPayload[]> {
  if (entries.length === 0) return [];
  const damaged: number[] = [];
  const payloads = await undamaged(reader, entries, damaged);
  const wrong: number[] = [];
  const found = entries.map((entry, place) => {
    const payload = payloads[place];
    if (payload === undefined || isPruned(payload)) return payload;
    if (equalBytes(sha256(payload), entry.payloadSha256)) return payload;
    wrong.push(entry.index);
    return undefined;
  });
  say(log, 'payloads are damaged in the ledger and count as missing', damaged);
  say(log, 'the ledger gave other payloads than it logged; they count as missing', wrong);
  return found;
}

/** One that is damaged takes those it is asked for with along: by halves, until it is alone. */
async function undamaged(
  reader: LedgerReader,
  entries: readonly LoggedEntry[],
  damaged: number[],
): Promise<readonly FoundPayload[]> {
  try {
    return await reader.payloads(entries.map((entry) => entry.payloadSha256));
  } catch (error) {
    if (!(error instanceof FirebreakError && error.code === 'damaged-payload')) throw error;
  }
  if (entries.length === 1) {
    damaged.push(...entries.map(({ index }) => index));
    return [undefined];
  }
  const half = entries.length >> 1;
  const first = await undamaged(reader, entries.slice(0, half), damaged);
  return [...first, ...(await undamaged(reader, entries.slice(half), damaged))];
}

function say(log: Log | undefined, what: string, entries: readonly number[]): void {
  if (entries.length === 0) return;
  log?.error(`${what}: stop the ledger, and look with firebreak ledger fsck --data-dir DIR`, {
    count: entries.length,
    firstEntry: entries[0],
  });
}
