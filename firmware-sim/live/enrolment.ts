/**
 * How a tag gets credentials (protocol.md §7, "Enrolment and refresh"): it sends the public keys of the coming epochs, the
 * authority answers with a pack sealed to a key made for this one reply. First by wire, later in a report of kind 3.
 */
import type { Epoch, TagNumber } from '../../protocol/brands.js';
import { openCredentialPack, requirePackFor } from '../../protocol/tag/credential-pack.js';
import type { CredentialPack } from '../../protocol/tag/credential-pack.js';
import { encodeCredentialRequest, signCredentialRequest } from '../../protocol/tag/credential-request.js';
import type { CredentialRequest } from '../../protocol/tag/credential-request.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { firstEpochOfDay } from '../../protocol/time.js';
import { x25519KeyPair } from '../../protocol/crypto/x25519.js';
import { epochPublicKeys, epochSigner } from '../tag/tag-secret.js';
import type { SignerOf, TagSecret } from '../tag/tag-secret.js';

/** The authority, as a tag's owner reaches it: in one process, or over HTTP. Both answer with a sealed pack. */
export interface EnrolmentStation {
  /** The first request, under a tag number that the enrolment desk gives or the authority chooses. */
  enrol(request: Uint8Array, tag?: TagNumber): Promise<Uint8Array>;
  /** A request of kind 3, made for no gateway. */
  renew(report: Uint8Array): Promise<Uint8Array>;
  /** The authority's time, ms. Absent where it cannot be asked. */
  timeMs?(): Promise<number>;
}

export interface DaysWished {
  readonly firstDay: number;
  readonly days: number;
}

/** A request that is under way. Without the reply key its answer cannot be opened. */
export interface PendingRequest extends DaysWished {
  readonly replySecretKey: Uint8Array;
  readonly requestHash: Uint8Array;
}

export interface MadeRequest {
  readonly pending: PendingRequest;
  readonly request: CredentialRequest;
  readonly plaintext: Uint8Array;
}

/** `replySeed` is 32 random bytes. Throws `day` when the secret of the first day is erased. */
export function makeRequest(
  secret: TagSecret,
  wish: DaysWished,
  replySeed: Uint8Array,
  signerOf: SignerOf,
): MadeRequest {
  const reply = x25519KeyPair(replySeed);
  const keys = epochPublicKeys(secret, wish.firstDay, wish.days, signerOf);
  const request = { replyPublicKey: reply.publicKey, ...wish, epochPublicKeys: keys };
  const plaintext = encodeCredentialRequest(request);
  const pending = { replySecretKey: reply.secretKey, requestHash: sha256(plaintext), ...wish };
  return { pending, request, plaintext };
}

/** The first request by wire. The secret must be that of its first day. */
export function signFirstRequest(secret: TagSecret, made: MadeRequest, signerOf: SignerOf): Uint8Array {
  const firstEpoch: Epoch = firstEpochOfDay(made.request.firstDay);
  return signCredentialRequest(epochSigner(secret, firstEpoch, signerOf), made.request);
}

/** The pack in an answer. Throws `sealing`, `signature`, `issuer`, or `format` when it answers another request. */
export function openAnswer(
  sealed: Uint8Array,
  pending: PendingRequest,
  issuerPublicKey: Uint8Array,
): CredentialPack {
  const pack = openCredentialPack(sealed, pending.replySecretKey, issuerPublicKey);
  requirePackFor(pack, pending.requestHash, pending.firstDay, pending.days);
  return pack;
}
