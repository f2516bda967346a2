/** X25519 (RFC 7748): libsodium where it loads, node:crypto elsewhere. */
import { randomBytes } from 'node:crypto';
import { sodium } from './sodium.js';
import { nodeX25519 } from './x25519-node.js';
import { sodiumX25519 } from './x25519-sodium.js';

/** One implementation of the algorithm. Secret keys are not changed while they are in use. */
export interface X25519 {
  readonly name: string;
  publicKeyOf(secretKey: Uint8Array): Uint8Array;
  /** Throws when the public key is of small order (RFC 7748 §6.1). */
  sharedSecret(secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array;
}

export interface X25519KeyPair {
  readonly secretKey: Uint8Array;
  readonly publicKey: Uint8Array;
}

const fastest: X25519 = sodium ? sodiumX25519(sodium) : nodeX25519;

/** From a 32-byte secret key, or a new random one. */
export function x25519KeyPair(secretKey: Uint8Array = new Uint8Array(randomBytes(32))): X25519KeyPair {
  return { secretKey, publicKey: fastest.publicKeyOf(secretKey) };
}

/** The shared secret; throws when the public key is of small order. */
export const x25519 = (secretKey: Uint8Array, publicKey: Uint8Array): Uint8Array =>
  fastest.sharedSecret(secretKey, publicKey);
