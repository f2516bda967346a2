/** The three ways to verify a signature, each with the strict rules: what one accepts, all must. */
import { nobleSigner, nobleVerifyStrict } from '../../protocol/crypto/ed25519-noble.js';
import { nodeEd25519 } from '../../protocol/crypto/ed25519-node.js';
import { isStrictlyFormed } from '../../protocol/crypto/ed25519-rules.js';
import { sodiumEd25519 } from '../../protocol/crypto/ed25519-sodium.js';
import type { Ed25519, Signer } from '../../protocol/crypto/ed25519.js';
import { sodium } from '../../protocol/crypto/sodium.js';

export interface Ed25519Path {
  readonly name: string;
  readonly signer: (seed: Uint8Array) => Signer;
  readonly verify: (publicKey: Uint8Array, message: Uint8Array, signature: Uint8Array) => boolean;
}

/** The libraries without our rules around them. */
export const LIBRARIES: readonly Ed25519[] = [nodeEd25519, ...(sodium ? [sodiumEd25519(sodium)] : [])];

const strictly = (library: Ed25519): Ed25519Path => ({
  name: library.name,
  signer: (seed) => library.signer(seed),
  verify: (publicKey, message, signature) =>
    isStrictlyFormed(publicKey, signature) && library.verify(publicKey, message, signature),
});

export const PATHS: readonly Ed25519Path[] = [
  ...LIBRARIES.map(strictly),
  { name: 'noble', signer: nobleSigner, verify: nobleVerifyStrict },
];
