/**
 * HPKE base mode, single shot (RFC 9180 §6.1): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
 */
import { createCipheriv, createDecipheriv, createHmac } from 'node:crypto';
import { concat } from './bytes.js';
import { FirebreakError } from './errors.js';
import { x25519, x25519KeyPair } from './x25519.js';

const KEM_SUITE = Buffer.from('KEM\x00\x20', 'latin1');
const HPKE_SUITE = Buffer.from('HPKE\x00\x20\x00\x01\x00\x03', 'latin1');
const VERSION = Buffer.from('HPKE-v1', 'latin1');
const TAG_BYTES = 16;
const NOTHING = new Uint8Array(0);
const MODE_BASE = Uint8Array.of(0);
const PSK_ID_HASH = labeledExtract(HPKE_SUITE, NOTHING, 'psk_id_hash', NOTHING);

export interface HpkeMessage {
  /** The encapsulated key, 32 bytes. */
  readonly enc: Uint8Array;
  /** As long as the plaintext and 16 more. */
  readonly ciphertext: Uint8Array;
}

/** Throws `sealing` for a recipient key of small order: anybody could open what is sealed to it. */
export function hpkeSeal(given: {
  readonly recipientPublicKey: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly plaintext: Uint8Array;
  /** For vectors and replays; a fresh one otherwise. */
  readonly ephemeralSecretKey?: Uint8Array;
}): HpkeMessage {
  const ephemeral = x25519KeyPair(given.ephemeralSecretKey);
  const dh = sharedWith(ephemeral.secretKey, given.recipientPublicKey);
  const { key, nonce } = schedule(dh, ephemeral.publicKey, given.recipientPublicKey, given.info);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(given.aad, { plaintextLength: given.plaintext.length });
  const body = cipher.update(given.plaintext);
  cipher.final();
  return { enc: ephemeral.publicKey, ciphertext: concat(body, cipher.getAuthTag()) };
}

function sharedWith(secretKey: Uint8Array, recipientPublicKey: Uint8Array): Uint8Array {
  try {
    return x25519(secretKey, recipientPublicKey);
  } catch (cause) {
    throw new FirebreakError('sealing', 'nothing can be sealed to this key', { cause });
  }
}

/** Throws `sealing` when it was not sealed to this key with this info and aad. */
export function hpkeOpen(given: {
  readonly recipientSecretKey: Uint8Array;
  /** Saves making it again. */
  readonly recipientPublicKey?: Uint8Array;
  readonly enc: Uint8Array;
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
  readonly ciphertext: Uint8Array;
}): Uint8Array {
  try {
    const dh = x25519(given.recipientSecretKey, given.enc);
    const recipient = given.recipientPublicKey ?? x25519KeyPair(given.recipientSecretKey).publicKey;
    const { key, nonce } = schedule(dh, given.enc, recipient, given.info);
    const body = given.ciphertext.subarray(0, -TAG_BYTES);
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(given.ciphertext.subarray(-TAG_BYTES));
    decipher.setAAD(given.aad, { plaintextLength: body.length });
    const plaintext = decipher.update(body);
    decipher.final();
    return new Uint8Array(plaintext);
  } catch (cause) {
    throw new FirebreakError('sealing', 'not sealed to this key', { cause });
  }
}

/** DHKEM's shared secret (§4.1), then the key and base nonce of the key schedule (§5.1). */
function schedule(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array, info: Uint8Array) {
  const eaePrk = labeledExtract(KEM_SUITE, NOTHING, 'eae_prk', dh);
  const shared = labeledExpand(KEM_SUITE, eaePrk, 'shared_secret', concat(enc, recipient), 32);
  const context = concat(MODE_BASE, PSK_ID_HASH, labeledExtract(HPKE_SUITE, NOTHING, 'info_hash', info));
  const secret = labeledExtract(HPKE_SUITE, shared, 'secret', NOTHING);
  return {
    key: labeledExpand(HPKE_SUITE, secret, 'key', context, 32),
    nonce: labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, 12),
  };
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Uint8Array {
  return hmac(salt, VERSION, suite, Buffer.from(label, 'latin1'), secret);
}

/** One block of HKDF-Expand is enough: nothing here is longer than 32 bytes. */
function labeledExpand(
  suite: Uint8Array,
  prk: Uint8Array,
  label: string,
  info: Uint8Array,
  length: number,
): Uint8Array {
  const size = Uint8Array.of(length >> 8, length & 0xff);
  return hmac(prk, size, VERSION, suite, Buffer.from(label, 'latin1'), info, Uint8Array.of(1)).subarray(
    0,
    length,
  );
}

function hmac(key: Uint8Array, ...parts: readonly Uint8Array[]): Uint8Array {
  const mac = createHmac('sha256', key);
  for (const part of parts) mac.update(part);
  return mac.digest();
}
