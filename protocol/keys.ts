/** Keys and the short names made of them (protocol.md §3, §7, §9). */
import { ByteWriter, concat } from './bytes.js';
import type { Epoch } from './brands.js';
import { hkdfSha256, sha256 } from './crypto/hash.js';

const TAG_SALT = Buffer.from('firebreak/tag/v1', 'latin1');
const RATCHET = Buffer.from('ratchet', 'latin1');
const EPOCH = Buffer.from('epoch', 'latin1');

/** The authority's secrets of one day (protocol.md §3). */
export interface DayKeys {
  readonly day: number;
  /** AES-256 key of the ephemeral IDs. */
  readonly idKey: Uint8Array;
  readonly macKey: Uint8Array;
  readonly sealingSecretKey: Uint8Array;
  readonly sealingPublicKey: Uint8Array;
}

/** Nothing can be opened with them any more. */
export function wipeKeys(keys: readonly DayKeys[]): void {
  for (const { idKey, macKey, sealingSecretKey } of keys)
    for (const secret of [idKey, macKey, sealingSecretKey]) secret.fill(0);
}

/** issuerId: the first 4 bytes of H(public key). */
export const issuerIdOf = (publicKey: Uint8Array): Uint8Array => sha256(publicKey).slice(0, 4);

/** gatewayId, writerId and an entry's source: the first 16 bytes of H(public key). */
export const partyIdOf = (publicKey: Uint8Array): Uint8Array => sha256(publicKey).slice(0, 16);

/** The next day's tag secret; the caller erases the old one. */
export const ratchetTagSecret = (secret: Uint8Array): Uint8Array => hkdfSha256(secret, TAG_SALT, RATCHET, 32);

/** The Ed25519 seed of one epoch, from that day's tag secret. */
export function epochSeed(daySecret: Uint8Array, epoch: Epoch): Uint8Array {
  return hkdfSha256(daySecret, TAG_SALT, concat(EPOCH, new ByteWriter(4).u32(epoch).finish()), 32);
}
