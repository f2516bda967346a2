/**
 * Reading back who looked (protocol.md §10, type 6): access records are sealed to the authority's audit key, which the
 * tracer that writes them does not hold.
 */
import type { UnixMs } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import { ENTRY_TYPE, type LedgerEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { openAccessPart, type AccessPart } from '../../protocol/payload/access.js';

export interface OpenedAccess {
  /** When the tracer wrote it, by its own word, and when the ledger took it. */
  readonly writtenAtMs: UnixMs;
  readonly appendedAtMs: UnixMs;
  readonly part: AccessPart;
}

/**
 * Opens one access entry of a verified log with its payload: a look, or a part of one.
 *
 * Throws `input` for an entry of another type, `proof` for a payload that is not the entry's, `sealing` when it was sealed
 * to another key, `format`.
 */
export function openAccessRecord(
  entry: LedgerEntry,
  payload: Uint8Array,
  auditSecretKey: Uint8Array,
): OpenedAccess {
  if (entry.type !== ENTRY_TYPE.access)
    throw new FirebreakError('input', `an entry of type ${entry.type} is no access`);
  if (!equalBytes(sha256(payload), entry.payloadSha256)) {
    throw new FirebreakError('proof', 'the payload is not the one this entry commits to');
  }
  const part = openAccessPart(payload, auditSecretKey);
  return { writtenAtMs: entry.sourceTimeMs, appendedAtMs: entry.appendedAtMs, part };
}
