/** Ed25519 by libsodium; absent where its native part does not load. */
import type { Ed25519 } from './ed25519.js';

interface Sodium {
  crypto_sign_seed_keypair(publicKey: Buffer, secretKey: Buffer, seed: Buffer): void;
  crypto_sign_detached(signature: Buffer, message: Buffer, secretKey: Buffer): void;
  crypto_sign_verify_detached(signature: Buffer, message: Buffer, publicKey: Buffer): boolean;
}

const asBuffer = (bytes: Uint8Array) => Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export function sodiumEd25519(load: (name: string) => unknown): Ed25519 | undefined {
  try {
    return fromSodium(load('sodium-native') as Sodium);
  } catch {
    return undefined;
  }
}

function fromSodium(sodium: Sodium): Ed25519 {
  return {
    name: 'sodium-native',
    signer(seed) {
      const publicKey = Buffer.alloc(32);
      const secretKey = Buffer.alloc(64);
      sodium.crypto_sign_seed_keypair(publicKey, secretKey, asBuffer(seed));
      return {
        publicKey: new Uint8Array(publicKey),
        sign(message) {
          const signature = Buffer.alloc(64);
          sodium.crypto_sign_detached(signature, asBuffer(message), secretKey);
          return new Uint8Array(signature);
        },
      };
    },
    verify: (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(asBuffer(signature), asBuffer(message), asBuffer(publicKey)),
  };
}
