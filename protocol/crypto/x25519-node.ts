/** X25519 by node:crypto (OpenSSL), for where libsodium does not load. */
import { createPrivateKey, createPublicKey, diffieHellman } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { X25519 } from './x25519.js';

/** PKCS#8 of an X25519 secret key without the key (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

/** Reading DER costs ten times the multiplication: the key object of a secret key lives as long as its bytes do. */
const keyObjects = new WeakMap<Uint8Array, KeyObject>();

function keyObjectOf(secretKey: Uint8Array): KeyObject {
  const known = keyObjects.get(secretKey);
  if (known) return known;
  const key = createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secretKey]), format: 'der', type: 'pkcs8' });
  keyObjects.set(secretKey, key);
  return key;
}

export const nodeX25519: X25519 = {
  name: 'node:crypto',
  publicKeyOf(secretKey) {
    const { x } = createPublicKey(keyObjectOf(secretKey)).export({ format: 'jwk' });
    return new Uint8Array(Buffer.from(x ?? '', 'base64url'));
  },
  sharedSecret(secretKey, publicKey) {
    const jwk = { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey).toString('base64url') };
    const theirs = createPublicKey({ key: jwk, format: 'jwk' });
    return new Uint8Array(diffieHellman({ privateKey: keyObjectOf(secretKey), publicKey: theirs }));
  },
};
