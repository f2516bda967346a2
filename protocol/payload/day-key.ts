/**
 * Payload of a ledger entry of type 4, day key published or destroyed (protocol.md §7, §10):
 *
 *     published (122)   salt 16 || 0x01 || day-key statement 105
 *     destroyed (29)    salt 16 || 0x02 || day u32 || destroyedAtMs u64
 */
import { asUnixMs, type UnixMs } from '../brands.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import { STATEMENT_BYTES } from '../session/day-key-statement.js';
import { FirebreakError } from '../errors.js';
import { requireSalt, SALT_BYTES } from './salt.js';

const PUBLISHED = 1;
const DESTROYED = 2;

export type DayKeyPayload =
  | { readonly kind: 'published'; readonly salt: Uint8Array; readonly statement: Uint8Array }
  | {
      readonly kind: 'destroyed';
      readonly salt: Uint8Array;
      readonly day: number;
      readonly destroyedAtMs: UnixMs;
    };

/** Throws `format` for parts of another length. */
export function encodeDayKeyPayload(payload: DayKeyPayload): Uint8Array {
  requireSalt(payload.salt);
  const writer = new ByteWriter(SALT_BYTES + 1 + (payload.kind === 'published' ? STATEMENT_BYTES : 12));
  writer.bytes(payload.salt);
  if (payload.kind === 'published') {
    if (payload.statement.length !== STATEMENT_BYTES)
      throw new FirebreakError('format', `a day-key statement has ${STATEMENT_BYTES} bytes`);
    writer.u8(PUBLISHED);
    writer.bytes(payload.statement);
  } else {
    writer.u8(DESTROYED);
    writer.u32(payload.day);
    writer.u64(payload.destroyedAtMs);
  }
  return writer.finish();
}

/** Throws `format`. */
export function decodeDayKeyPayload(bytes: Uint8Array): DayKeyPayload {
  const reader = new ByteReader(bytes, 'a day-key payload');
  const salt = reader.take(SALT_BYTES);
  const kind = reader.u8();
  const payload = readRest(kind, salt, reader);
  reader.end();
  return payload;
}

function readRest(kind: number, salt: Uint8Array, reader: ByteReader): DayKeyPayload {
  if (kind === PUBLISHED) return { kind: 'published', salt, statement: reader.take(STATEMENT_BYTES) };
  if (kind === DESTROYED) {
    return { kind: 'destroyed', salt, day: reader.u32(), destroyedAtMs: asUnixMs(reader.u64()) };
  }
  throw new FirebreakError('format', `a day-key payload of kind ${kind} is not known`);
}
