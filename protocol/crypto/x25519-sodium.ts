/** X25519 by libsodium: the quick path. */
import { asBuffer } from '../bytes.js';
import type { Sodium } from './sodium.js';
import type { X25519 } from './x25519.js';

export function sodiumX25519(sodium: Sodium): X25519 {
  return {
    name: 'sodium-native',
    publicKeyOf(secretKey) {
      const publicKey = new Uint8Array(32);
      sodium.crypto_scalarmult_base(asBuffer(publicKey), asBuffer(secretKey));
      return publicKey;
    },
    sharedSecret(secretKey, publicKey) {
      const shared = new Uint8Array(32);
      sodium.crypto_scalarmult(asBuffer(shared), asBuffer(secretKey), asBuffer(publicKey));
      return shared;
    },
  };
}
