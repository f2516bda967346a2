/**
 * Ed25519 by node:crypto (OpenSSL). Keys go in as JWK: reading DER would cost as much as the signature. The
 * last few are kept: the issuer's and the writers' come again with every report, and reading one takes a
 * fifteenth of a verification.
 */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Ed25519 } from './ed25519.js';

/** PKCS#8 of an Ed25519 seed without the seed (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

const KEPT_KEYS = 256;
/** The one used last is at the end. */
const kept = new Map<string, KeyObject>();

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  const x = base64url(publicKey);
  const known = kept.get(x);
  const key = known ?? createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x }, format: 'jwk' });
  if (known !== undefined) kept.delete(x);
  kept.set(x, key);
  const [oldest] = kept.keys();
  if (kept.size > KEPT_KEYS && oldest !== undefined) kept.delete(oldest);
  return key;
}

export const nodeEd25519: Ed25519 = {
  name: 'node:crypto',
  signer(seed) {
    const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, seed]), format: 'der', type: 'pkcs8' });
    const { x } = createPublicKey(key).export({ format: 'jwk' });
    return {
      publicKey: new Uint8Array(Buffer.from(x ?? '', 'base64url')),
      sign: (message) => new Uint8Array(sign(null, message, key)),
    };
  },
  verify(publicKey, message, signature) {
    try {
      return verify(null, message, publicKeyObject(publicKey), signature);
    } catch {
      return false;
    }
  },
};
