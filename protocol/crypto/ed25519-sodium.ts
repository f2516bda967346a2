/** Ed25519 by libsodium: the quick path. */
import { asBuffer } from '../bytes.js';
import type { Ed25519 } from './ed25519.js';
import type { Sodium } from './sodium.js';

export function sodiumEd25519(sodium: Sodium): Ed25519 {
  return {
    name: 'sodium-native',
    signer(seed) {
      const publicKey = Buffer.alloc(32);
      const secretKey = Buffer.alloc(64);
      sodium.crypto_sign_seed_keypair(publicKey, secretKey, asBuffer(seed));
      return {
        publicKey: new Uint8Array(publicKey),
        sign(message) {
          const signature = new Uint8Array(64);
          sodium.crypto_sign_detached(asBuffer(signature), asBuffer(message), secretKey);
          return signature;
        },
      };
    },
    verify: (publicKey, message, signature) =>
      sodium.crypto_sign_verify_detached(asBuffer(signature), asBuffer(message), asBuffer(publicKey)),
  };
}
