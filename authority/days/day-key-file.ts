/**
 * The day keys of one day as a file keeps them. All of it is secret.
 *
 *     magic "FBDK" 4 || version 0x01 || day u32 || idKey 32 || macKey 32 || sealing secret 32 || SHA-256 of all before 32
 */
import { ByteReader, concat, equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { DayKeys } from '../../protocol/keys.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';

const MAGIC = Buffer.from('FBDK', 'latin1');
const VERSION = 1;
const CHECKSUM_LENGTH = 32;
const HEADER_LENGTH = MAGIC.length + 1 + 4;
const SECRET_LENGTH = 32;
const SECRETS_END = HEADER_LENGTH + 3 * SECRET_LENGTH;
export const DAY_KEY_FILE_LENGTH = SECRETS_END + CHECKSUM_LENGTH;

const damaged = (why: string) => new FirebreakError('damaged', `not a day key file: ${why}`);

/** How the file of a day begins; nothing of it is secret. */
export function dayKeyFileStart(day: number): Uint8Array {
  const header = Buffer.alloc(HEADER_LENGTH);
  header.set(MAGIC);
  header.writeUInt8(VERSION, MAGIC.length);
  header.writeUInt32BE(day, MAGIC.length + 1);
  return header;
}

/**
 * One-way prints of the three secrets, SHA-256 of each, in the order of the file: they tell a copy of a destroyed key from
 * bytes that only begin like one, and nothing of the key, of which each part is 32 random bytes.
 */
export function dayKeyPrints({ idKey, macKey, sealingSecretKey }: DayKeys): readonly Uint8Array[] {
  return [idKey, macKey, sealingSecretKey].map((secret) => sha256(secret));
}

/**
 * How many bytes at the beginning of `bytes` are the file these prints were taken of, or as much of it as is there: up to
 * the last whole secret, or to the end with its checksum. 0 when not even the first secret is. The header is the caller's
 * to compare.
 */
export function provenLength(bytes: Uint8Array, prints: readonly Uint8Array[]): number {
  let proven = 0;
  for (const [i, print] of prints.entries()) {
    const end = HEADER_LENGTH + (i + 1) * SECRET_LENGTH;
    if (end > bytes.length || !equalBytes(sha256(bytes.subarray(end - SECRET_LENGTH, end)), print)) break;
    proven = end;
  }
  if (proven < SECRETS_END) return proven;
  const checksum = bytes.subarray(SECRETS_END, DAY_KEY_FILE_LENGTH);
  return equalBytes(sha256(bytes.subarray(0, SECRETS_END)), checksum) ? DAY_KEY_FILE_LENGTH : proven;
}

export function encodeDayKeyFile({ day, idKey, macKey, sealingSecretKey }: DayKeys): Uint8Array {
  const body = concat(dayKeyFileStart(day), idKey, macKey, sealingSecretKey);
  return concat(body, sha256(body));
}

/** Throws `damaged`, saying what is wrong and never what is inside; the caller adds the file's name. */
export function decodeDayKeyFile(bytes: Uint8Array): DayKeys {
  if (bytes.length !== DAY_KEY_FILE_LENGTH) {
    throw damaged(`it has ${bytes.length} bytes, a day key file has ${DAY_KEY_FILE_LENGTH}`);
  }
  const reader = new ByteReader(bytes, 'a day key file');
  if (!equalBytes(reader.take(MAGIC.length), MAGIC)) throw damaged('it does not begin with FBDK');
  const version = reader.u8();
  if (version !== VERSION) throw damaged(`its version is ${version}, this program knows ${VERSION}`);
  const checksum = sha256(bytes.subarray(0, -CHECKSUM_LENGTH));
  if (!equalBytes(checksum, bytes.subarray(-CHECKSUM_LENGTH))) {
    throw damaged('its checksum does not match, so some of it was changed');
  }
  const day = reader.u32();
  const [idKey, macKey, seed] = [reader.take(32), reader.take(32), reader.take(32)];
  const sealing = x25519KeyPair(seed);
  return { day, idKey, macKey, sealingSecretKey: sealing.secretKey, sealingPublicKey: sealing.publicKey };
}
