/**
 * Ed25519 in plain JavaScript by @noble/ed25519: the portable path of a tag, and the oracle of the tests. Its
 * strictness is its own, by point arithmetic, where ed25519-rules.ts goes by encodings: each checks the
 * other.
 */
import { Point, getPublicKey, hashes, sign } from '@noble/ed25519';
import { sha512 } from '@noble/hashes/sha2.js';
import type { Signer } from './ed25519.js';

hashes.sha512 = sha512;

export function nobleSigner(seed: Uint8Array): Signer {
  return { publicKey: getPublicKey(seed), sign: (message) => sign(message, seed) };
}

/**
 * [S]B = R + [k]A without the cofactor (RFC 8032 §5.1.7), S < L, A and R canonical and not of small order
 * (protocol.md §2). noble's own verify multiplies by the cofactor, and so accepts more.
 */
export function nobleVerifyStrict(
  publicKey: Uint8Array,
  message: Uint8Array,
  signature: Uint8Array,
): boolean {
  if (publicKey.length !== 32 || signature.length !== 64) return false;
  const r = signature.subarray(0, 32);
  const s = fromLittleEndian(signature.subarray(32));
  const order = Point.CURVE().n;
  const a = strictPoint(publicKey);
  const claimed = strictPoint(r);
  if (s >= order || !a || !claimed) return false;
  const k = fromLittleEndian(sha512(Buffer.concat([r, publicKey, message]))) % order;
  return Point.BASE.multiply(s, false).equals(claimed.add(a.multiply(k, false)));
}

function strictPoint(bytes: Uint8Array): Point | undefined {
  try {
    const point = Point.fromBytes(bytes, false);
    return point.isSmallOrder() ? undefined : point;
  } catch {
    return undefined;
  }
}

function fromLittleEndian(bytes: Uint8Array): bigint {
  return BigInt(`0x${Buffer.from(bytes).reverse().toString('hex')}`);
}
