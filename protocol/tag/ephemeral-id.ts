/**
 * Ephemeral ID and its beacon key (protocol.md §4).
 *
 *     ephId (16)   = AES-256-ECB(idKey of the day, tagNo u48 || epoch u32 || 48 zero bits)
 *     authKey (16) = HMAC(macKey of the day, D("firebreak/auth/v1") || ephId)[0,16)
 */
import { createCipheriv, createDecipheriv } from 'node:crypto';
import type { Cipher, Decipher } from 'node:crypto';
import { asEpoch, asTagNumber } from '../brands.js';
import type { Epoch, TagNumber } from '../brands.js';
import { ByteReader, ByteWriter, domain } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { hmacSha256 } from '../crypto/hash.js';

const BLOCK_BYTES = 16;

interface BlockCiphers {
  readonly seal: Cipher;
  readonly open: Decipher;
}

/**
 * Without padding and chaining a cipher keeps no state from block to block: one serves a key as long as its
 * bytes live.
 */
const blockCiphers = new WeakMap<Uint8Array, BlockCiphers>();

function blockCiphersOf(idKey: Uint8Array): BlockCiphers {
  const known = blockCiphers.get(idKey);
  if (known) return known;
  const made = {
    seal: createCipheriv('aes-256-ecb', idKey, null).setAutoPadding(false),
    open: createDecipheriv('aes-256-ecb', idKey, null).setAutoPadding(false),
  };
  blockCiphers.set(idKey, made);
  return made;
}

export function makeEphemeralId(idKey: Uint8Array, tag: TagNumber, epoch: Epoch): Uint8Array {
  const block = new ByteWriter(16).u48(tag).u32(epoch).u48(0).finish();
  return new Uint8Array(blockCiphersOf(idKey).seal.update(block));
}

/**
 * Whose ID it is; `undefined` when the 48 zero bits say it is not of this day's key. Throws `format` for
 * anything but 16 bytes.
 */
export function resolveEphemeralId(
  idKey: Uint8Array,
  ephId: Uint8Array,
): { readonly tag: TagNumber; readonly epoch: Epoch } | undefined {
  if (ephId.length !== BLOCK_BYTES) throw new FirebreakError('format', 'an ephemeral ID is 16 bytes');
  const reader = new ByteReader(blockCiphersOf(idKey).open.update(ephId), 'ephemeral ID');
  const tag = reader.u48();
  const epoch = reader.u32();
  return reader.u48() === 0 ? { tag: asTagNumber(tag), epoch: asEpoch(epoch) } : undefined;
}

/** The key of this ID's beacon MACs, which the tag is given and the authority can make again. */
export function authKeyOf(macKey: Uint8Array, ephId: Uint8Array): Uint8Array {
  return hmacSha256(macKey, domain('firebreak/auth/v1'), ephId).slice(0, 16);
}
