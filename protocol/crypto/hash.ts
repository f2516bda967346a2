/** SHA-256, HMAC-SHA-256 and HKDF-SHA-256 (FIPS 180-4, RFC 2104, RFC 5869). */
import { createHash, createHmac, hash } from 'node:crypto';
import { concat } from '../bytes.js';

const HASH_BYTES = 32;
const SLAB_BYTES = 128 * HASH_BYTES;
const NOTHING = new Uint8Array(0);

let slab = new Uint8Array(SLAB_BYTES);
let slabAt = 0;

/** SHA-256 as a binary string: for inputs as small as ours several times faster than a Hash object or a Buffer. */
export const sha256Text = (bytes: Uint8Array): string => hash('sha256', bytes, 'binary');

/** Writes the 32 bytes of a {@link sha256Text}; by hand, since a call of Buffer's takes twice as long. */
export function writeDigest(digest: string, target: Uint8Array, at: number): void {
  for (let i = 0; i < HASH_BYTES; i++) target[at + i] = digest.charCodeAt(i);
}

/** Many hashes share one piece of memory, which goes when the last of them does. */
function kept(digest: string): Uint8Array {
  if (slabAt === SLAB_BYTES) {
    slab = new Uint8Array(SLAB_BYTES);
    slabAt = 0;
  }
  writeDigest(digest, slab, slabAt);
  const bytes = new Uint8Array(slab.buffer, slabAt, HASH_BYTES);
  slabAt += HASH_BYTES;
  return bytes;
}

/**
 * SHA-256 of all parts in a row, 32 bytes. They may share their memory with other hashes: do not write to
 * them, and do not transfer their buffer.
 */
export function sha256(...parts: readonly Uint8Array[]): Uint8Array {
  const [only] = parts;
  if (only && parts.length === 1) return kept(sha256Text(only));
  const running = createHash('sha256');
  for (const part of parts) running.update(part);
  return new Uint8Array(running.digest());
}

/** The block that a key fills, and as much message as ours have. */
const BLOCK_BYTES = 64;
const LONGEST_MESSAGE = 512;
const inner = new Uint8Array(BLOCK_BYTES + LONGEST_MESSAGE);
const outer = new Uint8Array(BLOCK_BYTES + HASH_BYTES);

/** By hand for short messages: an Hmac object takes three times as long as both of its hashes. */
export function hmacSha256(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  let end = BLOCK_BYTES;
  for (const part of parts) end += part.length;
  if (end > inner.length || key.length > BLOCK_BYTES) return hmacOfAny(key, parts);
  fillKeyBlocks(key);
  let at = BLOCK_BYTES;
  for (const part of parts) {
    inner.set(part, at);
    at += part.length;
  }
  writeDigest(sha256Text(inner.subarray(0, end)), outer, BLOCK_BYTES);
  const made = new Uint8Array(HASH_BYTES);
  writeDigest(sha256Text(outer), made, 0);
  inner.fill(0, 0, end); // neither key nor message outlives the call here
  outer.fill(0);
  return made;
}

/** The key, zeros after it, under both pads (RFC 2104 §2). */
function fillKeyBlocks(key: Uint8Array): void {
  inner.fill(0x36, 0, BLOCK_BYTES);
  outer.fill(0x5c, 0, BLOCK_BYTES);
  for (let i = 0; i < key.length; i++) {
    const byte = key[i] ?? 0;
    inner[i] = byte ^ 0x36;
    outer[i] = byte ^ 0x5c;
  }
}

function hmacOfAny(key: Uint8Array, parts: readonly Uint8Array[]): Uint8Array {
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
