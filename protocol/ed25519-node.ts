/** Ed25519 by node:crypto (OpenSSL). Keys go in as JWK: reading DER would cost as much as the signature. */
import { createPrivateKey, createPublicKey, sign, verify } from 'node:crypto';
import type { KeyObject } from 'node:crypto';
import type { Ed25519 } from './ed25519.js';

/** PKCS#8 of an Ed25519 seed without the seed (RFC 8410 §7). */
const PKCS8_HEAD = Buffer.from('302e020100300506032b657004220420', 'hex');

const base64url = (bytes: Uint8Array) => Buffer.from(bytes).toString('base64url');

function publicKeyObject(publicKey: Uint8Array): KeyObject {
  return createPublicKey({ key: { kty: 'OKP', crv: 'Ed25519', x: base64url(publicKey) }, format: 'jwk' });
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
