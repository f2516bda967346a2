/** X25519 (RFC 7748) by node:crypto. Public keys go in as JWK; a secret key's object is kept with it. */
import { createPrivateKey, createPublicKey, diffieHellman, randomBytes } from 'node:crypto';
import type { KeyObject } from 'node:crypto';

/** PKCS#8 of an X25519 secret key without the key (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b656e04220420', 'hex');

export interface X25519KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

/** From a 32-byte secret key, or a new random one. */
export function x25519KeyPair(secretKey: Uint8Array = new Uint8Array(randomBytes(32))): X25519KeyPair {
  return { secretKey, publicKey: x25519PublicKey(secretKey) };
}

export function x25519PublicKey(secretKey: Uint8Array): Uint8Array {
  const { x } = createPublicKey(secretKeyObject(secretKey)).export({ format: 'jwk' });
  return new Uint8Array(Buffer.from(x ?? '', 'base64url'));
}

/** The shared secret; throws when the public key is of small order (RFC 7748 §6.1). */
export function x25519(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array {
  const theirs = createPublicKey({
    key: { kty: 'OKP', crv: 'X25519', x: Buffer.from(publicKey).toString('base64url') },
    format: 'jwk',
  });
  return new Uint8Array(diffieHellman({ privateKey: secretKeyObject(secretKey), publicKey: theirs }));
}

function secretKeyObject(secretKey: Uint8Array): KeyObject {
  return createPrivateKey({ key: Buffer.concat([PKCS8_HEAD, secretKey]), format: 'der', type: 'pkcs8' });
}
