/**
 * Payload of a ledger entry of type 10, payloads of a day pruned (protocol.md §10): instruction and record in one. From
 * this entry on the ledger hands out no payload of that day, and takes none any more.
 *
 *     salt 16 || 0x01 || day u32 || prunedAtMs u64        29 bytes
 */
import { asUnixMs, type UnixMs } from '../brands.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { requireSalt, SALT_BYTES } from './salt.js';

const VERSION = 1;

export interface PruningPayload {
  readonly salt: Uint8Array;
  /** Day of the reports, ⌊t/86400⌋. */
  readonly day: number;
  /** As the authority states it; the entry's appendedAtMs is when it took effect. */
  readonly prunedAtMs: UnixMs;
}

/** Throws `format` for a salt of another length. */
export function encodePruningPayload({ salt, day, prunedAtMs }: PruningPayload): Uint8Array {
  requireSalt(salt);
  return new ByteWriter(SALT_BYTES + 13).bytes(salt).u8(VERSION).u32(day).u64(prunedAtMs).finish();
}

/** Throws `format`. */
export function decodePruningPayload(bytes: Uint8Array): PruningPayload {
  const reader = new ByteReader(bytes, 'a pruning payload');
  const salt = reader.take(SALT_BYTES);
  const version = reader.u8();
  if (version !== VERSION)
    throw new FirebreakError('format', `a pruning payload of version ${version} is not known`);
  const payload = { salt, day: reader.u32(), prunedAtMs: asUnixMs(reader.u64()) };
  reader.end();
  return payload;
}
