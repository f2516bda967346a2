/** A tag asks who looked at it (protocol.md §14): signed with the key of the present epoch, or of the last it is certified for. */
import { asEpoch } from '../../protocol/brands.js';
import type { Epoch } from '../../protocol/brands.js';
import { signAuditRequest } from '../../protocol/tag/audit-request.js';
import type { Credential } from '../../protocol/tag/credential.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { dayOf, dayOfEpoch, epochOf, EPOCHS_PER_DAY, firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { credentialOf } from './credential-shelf.js';
import { advanceSecret, epochSigner } from './tag-secret.js';
import type { SignerOf } from './tag-secret.js';
import type { RandomBytes } from './tag-event.js';
import type { TagState } from './tag-state.js';

export interface MadeAuditRequest {
  readonly request: Uint8Array;
  readonly requestHash: Uint8Array;
  /** Opens the answer, and is kept nowhere. */
  readonly replySecretKey: Uint8Array;
}

export interface AuditRequestGiven {
  /** The deployment's time, which epochs are counted in. */
  readonly nowSeconds: number;
  /** The time of this host, which the request is dated in. */
  readonly wallMs: number;
  readonly random: RandomBytes;
  readonly signerOf: SignerOf;
}

/** Reads a tag's state and changes nothing in it. Throws `epoch` when it holds no credential for now or before. */
export function makeAuditRequest(
  state: Pick<TagState, 'secret' | 'shelf'>,
  { nowSeconds, wallMs, random, signerOf }: AuditRequestGiven,
): MadeAuditRequest {
  const { signer, credential } = lastIdentity(state, nowSeconds, signerOf);
  const reply = x25519KeyPair(new Uint8Array(random(32)));
  const nonce = new Uint8Array(random(16));
  const asked = { credential, replyPublicKey: reply.publicKey, wallMs, nonce };
  const request = signAuditRequest(signer, asked);
  return { request, requestHash: sha256(request), replySecretKey: reply.secretKey };
}

function lastIdentity(
  { secret, shelf }: Pick<TagState, 'secret' | 'shelf'>,
  nowSeconds: number,
  signerOf: SignerOf,
): { readonly signer: Signer; readonly credential: Credential } {
  const today = dayOf(nowSeconds);
  const days = [...shelf.epochs.keys()].filter((day) => day >= secret.day && day <= today);
  const day = Math.max(...days); // -Infinity of none
  const epoch = day === today ? epochOf(nowSeconds) : lastEpochOf(day);
  const issued = epoch === undefined ? undefined : credentialOf(shelf, epoch);
  if (epoch === undefined || issued === undefined)
    throw new FirebreakError('epoch', 'the tag has no credentials: let it run until it is enrolled, then ask again'); // prettier-ignore
  const ofDay = advanceSecret({ day: secret.day, bytes: secret.bytes.slice() }, dayOfEpoch(epoch));
  const signer = epochSigner(ofDay, epoch, signerOf);
  ofDay.bytes.fill(0);
  const { ephId, credentialSignature: signature } = issued;
  return { signer, credential: { epoch, ephId, epochPublicKey: signer.publicKey, signature } };
}

const lastEpochOf = (day: number): Epoch | undefined =>
  Number.isFinite(day) ? asEpoch(firstEpochOfDay(day) + EPOCHS_PER_DAY - 1) : undefined;
