/**
 * Ed25519 (RFC 8032), strict in what it accepts (protocol.md §2). The quick path is libsodium where it loads and
 * node:crypto elsewhere; ed25519-noble.ts is the portable path and the oracle of the tests.
 */
import { concat, domain } from '../bytes.js';
import { nodeEd25519 } from './ed25519-node.js';
import { isStrictlyFormed } from './ed25519-rules.js';
import { sodiumEd25519 } from './ed25519-sodium.js';
import { sodium } from './sodium.js';

export const SIGNATURE_BYTES = 64;

export interface Signer {
  readonly publicKey: Uint8Array;
  sign(message: Uint8Array): Uint8Array;
}

/** One implementation of the bare algorithm; strictness is added around it. */
export interface Ed25519 {
  readonly name: string;
  signer(seed: Uint8Array): Signer;
  verify(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean;
}

const fastest: Ed25519 = sodium ? sodiumEd25519(sodium) : nodeEd25519;

/** A signer from a 32-byte seed, on the quick path. */
export const fastSigner = (seed: Uint8Array): Signer => fastest.signer(seed);

export function verifyStrict(publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array): boolean {
  return isStrictlyFormed(publicKey, signature) && fastest.verify(publicKey, message, signature);
}

/** Signs D(domainText) || bytes. */
export function signDomain(signer: Signer, domainText: string, bytes: Uint8Array): Uint8Array {
  return signer.sign(concat(domain(domainText), bytes));
}

export function verifyDomain(
  publicKey: Uint8Array,
  domainText: string,
  bytes: Uint8Array,
  signature: Uint8Array,
): boolean {
  return verifyStrict(publicKey, concat(domain(domainText), bytes), signature);
}
