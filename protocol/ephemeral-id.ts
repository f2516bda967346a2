/**
 * Ephemeral ID and its beacon key (protocol.md §4).
 *
 *     ephId (16)   = AES-256-ECB(idKey of the day, tagNo u48 || epoch u32 || 48 zero bits)
 *     authKey (16) = HMAC(macKey of the day, D("firebreak/auth/v1") || ephId)[0,16)
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import { asEpoch, asTagNumber } from './brands.js';
import type { Epoch, TagNumber } from './brands.js';
import { ByteReader, ByteWriter, domain } from './bytes.js';
import { hmacSha256 } from './hash.js';

export function makeEphemeralId(idKey: Uint8Array, tag: TagNumber, epoch: Epoch): Uint8Array {
  const block = new ByteWriter(16).u48(tag).u32(epoch).u48(0).finish();
  const cipher = createCipheriv('aes-256-ecb', idKey, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(block));
}

/** Whose ID it is; `undefined` when the 48 zero bits say it is not of this day's key. */
export function resolveEphemeralId(
  idKey: Uint8Array,
  ephId: Uint8Array,
): { readonly tag: TagNumber; readonly epoch: Epoch } | undefined {
  const decipher = createDecipheriv('aes-256-ecb', idKey, null).setAutoPadding(false);
  const reader = new ByteReader(decipher.update(ephId), 'ephemeral ID');
  const tag = reader.u48();
  const epoch = reader.u32();
  return reader.u48() === 0 ? { tag: asTagNumber(tag), epoch: asEpoch(epoch) } : undefined;
}

/** The key of this ID's beacon MACs, which the tag is given and the authority can make again. */
export function authKeyOf(macKey: Uint8Array, ephId: Uint8Array): Uint8Array {
  return hmacSha256(macKey, domain('firebreak/auth/v1'), ephId).slice(0, 16);
}
