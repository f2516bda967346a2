/**
 * HPKE base mode, single shot (RFC 9180 §6.1): DHKEM(X25519, HKDF-SHA256), HKDF-SHA256, ChaCha20-Poly1305.
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { concat } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { hmacSha256 } from './hash.js';
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

interface Sealing {
  readonly info: Uint8Array;
  readonly aad: Uint8Array;
}

/** Throws `sealing` for a recipient key of small order: anybody could open what is sealed to it. */
export function hpkeSeal(
  given: Sealing & {
    readonly recipientPublicKey: Uint8Array;
    readonly plaintext: Uint8Array;
    /** For vectors and replays; a fresh one otherwise. */
    readonly ephemeralSecretKey?: Uint8Array;
  },
): HpkeMessage {
  const { enc, sharedSecret } = hpkeEncap(given.recipientPublicKey, given.ephemeralSecretKey);
  return { enc, ciphertext: hpkeSealWith(sharedSecret, given) };
}

/** Throws `sealing` when it was not sealed to this key with this info and aad. */
export function hpkeOpen(
  given: Sealing & Recipient & { readonly enc: Uint8Array; readonly ciphertext: Uint8Array },
): Uint8Array {
  return hpkeOpenWith(hpkeDecap(given, given.enc), given);
}

/**
 * Encap of §4.1: what `hpkeSeal` makes a message's key of. Whoever is given the shared secret can open that
 * message, and nothing else that was sealed to the same recipient. Throws `sealing` as {@link hpkeSeal}.
 */
export function hpkeEncap(
  recipientPublicKey: Uint8Array,
  ephemeralSecretKey?: Uint8Array,
): { readonly enc: Uint8Array; readonly sharedSecret: Uint8Array } {
  const { secretKey, publicKey: enc } = x25519KeyPair(ephemeralSecretKey);
  try {
    const dh = x25519(secretKey, recipientPublicKey);
    return { enc, sharedSecret: sharedSecretOf(dh, enc, recipientPublicKey) };
  } catch (cause) {
    throw new FirebreakError('sealing', 'nothing can be sealed to this key', { cause });
  }
}

interface Recipient {
  readonly recipientSecretKey: Uint8Array;
  /** Saves making it again. */
  readonly recipientPublicKey?: Uint8Array;
}

/** Decap of §4.1: the shared secret of one message, 32 bytes. Throws `sealing` for an `enc` that is no key. */
export function hpkeDecap(
  { recipientSecretKey, recipientPublicKey }: Recipient,
  enc: Uint8Array,
): Uint8Array {
  try {
    const dh = x25519(recipientSecretKey, enc);
    return sharedSecretOf(dh, enc, recipientPublicKey ?? x25519KeyPair(recipientSecretKey).publicKey);
  } catch (cause) {
    throw new FirebreakError('sealing', 'not sealed to this key', { cause });
  }
}

/** The ciphertext, 16 bytes longer than the plaintext. A shared secret seals one message, never two. */
export function hpkeSealWith(
  sharedSecret: Uint8Array,
  { info, aad, plaintext }: Sealing & { readonly plaintext: Uint8Array },
): Uint8Array {
  const { key, nonce } = schedule(sharedSecret, info);
  const cipher = createCipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
  cipher.setAAD(aad, { plaintextLength: plaintext.length });
  const body = cipher.update(plaintext);
  cipher.final();
  return concat(body, cipher.getAuthTag());
}

/** Throws `sealing` when it was not sealed with this shared secret, info and aad. */
export function hpkeOpenWith(
  sharedSecret: Uint8Array,
  { info, aad, ciphertext }: Sealing & { readonly ciphertext: Uint8Array },
): Uint8Array {
  try {
    const { key, nonce } = schedule(sharedSecret, info);
    const body = ciphertext.subarray(0, -TAG_BYTES);
    const decipher = createDecipheriv('chacha20-poly1305', key, nonce, { authTagLength: TAG_BYTES });
    decipher.setAuthTag(ciphertext.subarray(-TAG_BYTES));
    decipher.setAAD(aad, { plaintextLength: body.length });
    const plaintext = decipher.update(body);
    decipher.final();
    return new Uint8Array(plaintext);
  } catch (cause) {
    throw new FirebreakError('sealing', 'not sealed to this key', { cause });
  }
}

/** ExtractAndExpand of the KEM (§4.1). */
function sharedSecretOf(dh: Uint8Array, enc: Uint8Array, recipient: Uint8Array): Uint8Array {
  const eaePrk = labeledExtract(KEM_SUITE, NOTHING, 'eae_prk', dh);
  return new Uint8Array(labeledExpand(KEM_SUITE, eaePrk, 'shared_secret', concat(enc, recipient), 32));
}

/** The key and base nonce of the key schedule (§5.1). */
function schedule(sharedSecret: Uint8Array, info: Uint8Array) {
  const context = concat(MODE_BASE, PSK_ID_HASH, labeledExtract(HPKE_SUITE, NOTHING, 'info_hash', info));
  const secret = labeledExtract(HPKE_SUITE, sharedSecret, 'secret', NOTHING);
  return {
    key: labeledExpand(HPKE_SUITE, secret, 'key', context, 32),
    nonce: labeledExpand(HPKE_SUITE, secret, 'base_nonce', context, 12),
  };
}

function labeledExtract(suite: Uint8Array, salt: Uint8Array, label: string, secret: Uint8Array): Uint8Array {
  return hmacSha256(salt, VERSION, suite, Buffer.from(label, 'latin1'), secret);
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
  const block = hmacSha256(prk, size, VERSION, suite, Buffer.from(label, 'latin1'), info, Uint8Array.of(1));
  return block.subarray(0, length);
}
