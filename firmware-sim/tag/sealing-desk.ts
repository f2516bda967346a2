/** How a tag seals what it hands out: under the credential of the present epoch and no other, to the key of a day. */
import type { Epoch } from '../../protocol/brands.js';
import type { Credential } from '../../protocol/tag/credential.js';
import { FirebreakError } from '../../protocol/errors.js';
import { issuerIdOf } from '../../protocol/keys.js';
import { sealReport } from '../../protocol/tag/report.js';
import type { ReportKind } from '../../protocol/tag/report.js';
import { dayOfEpoch } from '../../protocol/time.js';
import { credentialOf } from './credential-shelf.js';
import { epochSigner } from './tag-secret.js';
import type { SignerOf } from './tag-secret.js';
import type { TagState } from './tag-state.js';

export interface SealingTag {
  readonly state: TagState;
  readonly signerOf: SignerOf;
  /** The present one, by the tag's clock. */
  readonly epoch: Epoch;
}

export interface SealedContent {
  readonly kind: ReportKind;
  /** Whose sealing key it is sealed to. */
  readonly day: number;
  readonly plaintext: Uint8Array;
  readonly gatewayId: Uint8Array;
  readonly nonce: Uint8Array;
}

/** Throws `epoch` when the tag does not know the time or has no credential for it, `day` without a key of that day. */
export function sealAsTag(tag: SealingTag, given: SealedContent): Uint8Array {
  const identity = identityOf(tag);
  const { shelf, issuerPublicKey } = tag.state;
  const sealingPublicKey = shelf.sealingKeys.get(given.day);
  if (sealingPublicKey === undefined)
    throw new FirebreakError('day', `there is no sealing key for day ${given.day}`);
  return sealReport({ ...given, issuerId: issuerIdOf(issuerPublicKey), sealingPublicKey, ...identity });
}

/**
 * Throws `epoch` for an epoch before the newest whose ID was on the air: a clock that a hello has put back over an epoch's
 * border would show the earlier ID in a session that follows the later one, and link the two (docs/protocol.md §5, §7).
 */
export function requireNoEarlierId({ aired }: TagState, epoch: Epoch): void {
  if (aired === undefined || epoch >= aired.epoch) return;
  throw new FirebreakError('epoch', 'its clock went back; it shows no ID of an earlier epoch');
}

/** The credential of the present epoch and its key: no other is ever shown (protocol.md §5). */
function identityOf({ state, signerOf, epoch }: SealingTag): {
  readonly signer: ReturnType<SignerOf>;
  readonly credential: Credential;
} {
  if (state.clock.isLost)
    throw new FirebreakError('epoch', 'the tag does not know the time; a gateway will tell it');
  const issued = credentialOf(state.shelf, epoch);
  if (issued === undefined) {
    throw new FirebreakError(
      'epoch',
      `the tag has no credentials for day ${dayOfEpoch(epoch)}; let it renew them`,
    );
  }
  const signer = epochSigner(state.secret, epoch, signerOf);
  const { ephId, credentialSignature } = issued;
  return {
    signer,
    credential: { epoch, ephId, epochPublicKey: signer.publicKey, signature: credentialSignature },
  };
}
