/**
 * A tag's credentials of one day (protocol.md §4, §5). A school of 327 tags has 157,000 of them in five days, so that the
 * IDs of a day are made by one cipher in one call.
 */
import { createCipheriv } from 'node:crypto';
import { asEpoch, type TagNumber } from '../../protocol/brands.js';
import { ByteWriter } from '../../protocol/bytes.js';
import type { PackEpoch } from '../../protocol/tag/credential-pack.js';
import { encodeCredentialBody, issueCredential } from '../../protocol/tag/credential.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { authKeyOf } from '../../protocol/tag/ephemeral-id.js';
import type { DayKeys } from '../../protocol/keys.js';
import { EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';

const BLOCK_BYTES = 16;

export interface IssuedCredentials {
  /** 96, in order, as the pack carries them. */
  readonly epochs: readonly PackEpoch[];
  /** The 53 signed bytes of each, which the ledger commits to (§10, type 9). */
  readonly bodies: readonly Uint8Array[];
}

/** `epochPublicKeys` are the 96 of the day whose keys are given. */
export function issueDay(
  issuer: Signer,
  keys: DayKeys,
  tag: TagNumber,
  epochPublicKeys: readonly Uint8Array[],
): IssuedCredentials {
  const ephIds = ephemeralIdsOfDay(keys, tag);
  const first = firstEpochOfDay(keys.day);
  const epochs: PackEpoch[] = [];
  const bodies: Uint8Array[] = [];
  epochPublicKeys.forEach((epochPublicKey, index) => {
    const ephId = ephIds.slice(index * BLOCK_BYTES, (index + 1) * BLOCK_BYTES);
    const credential = issueCredential(issuer, { epoch: asEpoch(first + index), ephId, epochPublicKey });
    bodies.push(encodeCredentialBody(credential));
    epochs.push({ ephId, authKey: authKeyOf(keys.macKey, ephId), credentialSignature: credential.signature });
  });
  return { epochs, bodies };
}

/** ECB blocks do not depend on each other: 96 of them in a row are 96 ephemeral IDs. */
function ephemeralIdsOfDay({ day, idKey }: DayKeys, tag: TagNumber): Uint8Array {
  const first = firstEpochOfDay(day);
  const blocks = new ByteWriter(EPOCHS_PER_DAY * BLOCK_BYTES);
  for (let index = 0; index < EPOCHS_PER_DAY; index += 1)
    blocks
      .u48(tag)
      .u32(first + index)
      .u48(0);
  const cipher = createCipheriv('aes-256-ecb', idKey, null).setAutoPadding(false);
  return new Uint8Array(cipher.update(blocks.finish()));
}
