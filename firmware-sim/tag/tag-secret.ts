/**
 * The tag secret (protocol.md §3): made on the tag, never handed out, one a day, each made from the one before, which is
 * then erased. What it gives are the epoch keys of its day and, for a request only, of the days after.
 */
import type { Epoch } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { epochSeed, ratchetTagSecret } from '../../protocol/keys.js';
import { dayOfEpoch, EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { asEpoch } from '../../protocol/brands.js';

/** Ed25519 from a seed: protocol/crypto/ed25519.ts's fastSigner, or ed25519-noble.ts's where nothing native runs. */
export type SignerOf = (seed: Uint8Array) => Signer;

export interface TagSecret {
  readonly day: number;
  readonly bytes: Uint8Array;
}

/** The secret of a later day; the one given is overwritten when a day has passed. */
export function advanceSecret(secret: TagSecret, day: number): TagSecret {
  let { bytes } = secret;
  for (let at = secret.day; at < day; at += 1) {
    const next = ratchetTagSecret(bytes);
    bytes.fill(0);
    bytes = next;
  }
  return { day: Math.max(day, secret.day), bytes };
}

/** The key of one epoch of the secret's day. Throws `epoch` for one of another day: that secret is not there. */
export function epochSigner(secret: TagSecret, epoch: Epoch, signerOf: SignerOf): Signer {
  if (dayOfEpoch(epoch) !== secret.day)
    throw new FirebreakError('epoch', 'the tag holds no secret for that day');
  return signerOf(epochSeed(secret.bytes, epoch));
}

/** 96 epoch public keys a day, in order, for days from the secret's own on. */
export function epochPublicKeys(
  secret: TagSecret,
  firstDay: number,
  days: number,
  signerOf: SignerOf,
): Uint8Array[] {
  if (firstDay < secret.day)
    throw new FirebreakError('day', 'the tag has erased the secret of a day that is asked for');
  const keys: Uint8Array[] = [];
  let ahead: TagSecret = { day: secret.day, bytes: secret.bytes.slice() };
  for (let day = firstDay; day < firstDay + days; day += 1) {
    ahead = advanceSecret(ahead, day);
    const first = firstEpochOfDay(day);
    for (let index = 0; index < EPOCHS_PER_DAY; index += 1) {
      keys.push(epochSigner(ahead, asEpoch(first + index), signerOf).publicKey);
    }
  }
  ahead.bytes.fill(0);
  return keys;
}
