/** SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (FIPS 180-4, RFC 2104, RFC 5869). */
import { createHash, createHmac, hash } from 'node:crypto';
import { concat } from './bytes.js';

const HASH_BYTES = 32;
const NOTHING = new Uint8Array(0);

export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return new Uint8Array(hash('sha256', only, 'buffer'));
  const running = createHash('sha256');
  for (const part of parts) running.update(part);
  return new Uint8Array(running.digest());
}

export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const hmac = createHmac('sha256', key);
  for (const part of parts) hmac.update(part);
  return new Uint8Array(hmac.digest());
}

/** By hand, since node:crypto's takes twice as long for a single block. `length` is at most 8,160. */
export function hkdfSha256(
  secret: Uint8Array,
  salt: Uint8Array,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const prk = hmacSha256(salt, secret);
  let block: Uint8Array = NOTHING;
  let made: Uint8Array = NOTHING;
  for (let counter = 1; made.length < length; counter++) {
    block = hmacSha256(prk, block, info, Uint8Array.of(counter));
    made = counter === 1 ? block : concat(made, block);
  }
  return length === HASH_BYTES ? made : made.slice(0, length);
}
