/**
 * What a tag's holder asks the authority: who looked at traces that reached this tag (protocol.md §14).
 *
 *     0x01 || credential 117 || reply key X25519 32 || wallMs u64 || nonce 16
 *          || Ed25519(epoch key, D("firebreak/audit/v1") || the 174 bytes before) 64
 *
 * Which tag asks is told by the credential, and by nothing else. wallMs is the time of the asker's host, as
 * in a connect token: it bounds how long a request is good for.
 */
import { ByteReader, ByteWriter, concat } from '../bytes.js';
import { CREDENTIAL_BYTES, decodeCredential, encodeCredential, verifyCredential } from './credential.js';
import type { Credential } from './credential.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';

const VERSION = 1;
const DOMAIN = 'firebreak/audit/v1';
const NONCE_BYTES = 16;
const SIGNED_BYTES = 1 + CREDENTIAL_BYTES + 32 + 8 + NONCE_BYTES;
const AUDIT_REQUEST_BYTES = SIGNED_BYTES + SIGNATURE_BYTES;

export interface AuditRequest {
  readonly credential: Credential;
  /** X25519: the answer comes back sealed to it. */
  readonly replyPublicKey: Uint8Array;
  readonly wallMs: number;
  /** 16 random bytes. */
  readonly nonce: Uint8Array;
}

/** Signed with the epoch key of its credential. Throws `format` for a nonce of another length. */
export function signAuditRequest(epochKey: Signer, request: AuditRequest): Uint8Array {
  const { credential, replyPublicKey, wallMs, nonce } = request;
  if (nonce.length !== NONCE_BYTES)
    throw new FirebreakError('format', `the nonce of an audit request has ${NONCE_BYTES} bytes`);
  const body = new ByteWriter(SIGNED_BYTES)
    .u8(VERSION)
    .bytes(encodeCredential(credential))
    .bytes(replyPublicKey)
    .u64(wallMs)
    .bytes(nonce)
    .finish();
  return concat(body, signDomain(epochKey, DOMAIN, body));
}

/**
 * A request whose credential is the issuer's and whose epoch key signed it; whether it comes in time is for
 * the caller to say. Throws `format`, `credential-signature`, `signature`, in this order.
 */
export function openAuditRequest(bytes: Uint8Array, issuerPublicKey: Uint8Array): AuditRequest {
  const request = decode(bytes);
  const { credential } = request;
  if (!verifyCredential(issuerPublicKey, credential))
    throw new FirebreakError('credential-signature', 'the credential is not signed by the issuer');
  const [body, signature] = [bytes.subarray(0, SIGNED_BYTES), bytes.subarray(SIGNED_BYTES)];
  if (verifyDomain(credential.epochPublicKey, DOMAIN, body, signature)) return request;
  throw new FirebreakError('signature', 'the request is not signed with its credential’s key');
}

function decode(bytes: Uint8Array): AuditRequest {
  if (bytes.length !== AUDIT_REQUEST_BYTES)
    throw new FirebreakError('format', `an audit request has ${AUDIT_REQUEST_BYTES} bytes`);
  const reader = new ByteReader(bytes, 'an audit request');
  if (reader.u8() !== VERSION)
    throw new FirebreakError('format', 'an audit request of a version that is not known');
  const credential = decodeCredential(reader.view(CREDENTIAL_BYTES));
  return {
    credential,
    replyPublicKey: reader.take(32),
    wallMs: reader.u64(),
    nonce: reader.take(NONCE_BYTES),
  };
}
