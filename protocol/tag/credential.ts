/**
 * Credential (protocol.md §5).
 *
 *     0x01 || epoch u32 || ephId 16 || epoch public key 32 || sig(issuer, "firebreak/credential/v1" over the 53 before)
 */
import { asEpoch } from '../brands.js';
import type { Epoch } from '../brands.js';
import { ByteReader, ByteWriter, concat } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';

const DOMAIN = 'firebreak/credential/v1';
const VERSION = 1;
export const CREDENTIAL_BODY_BYTES = 53;
export const CREDENTIAL_BYTES = CREDENTIAL_BODY_BYTES + SIGNATURE_BYTES;

export interface CredentialBody {
  readonly epoch: Epoch;
  readonly ephId: Uint8Array;
  readonly epochPublicKey: Uint8Array;
}

export interface Credential extends CredentialBody {
  readonly signature: Uint8Array;
}

/** The 53 bytes that are signed, and whose Merkle root is logged (§10, type 9). */
export function encodeCredentialBody(body: CredentialBody): Uint8Array {
  return new ByteWriter(CREDENTIAL_BODY_BYTES)
    .u8(VERSION)
    .u32(body.epoch)
    .bytes(body.ephId)
    .bytes(body.epochPublicKey)
    .finish();
}

export function encodeCredential(credential: Credential): Uint8Array {
  return concat(encodeCredentialBody(credential), credential.signature);
}

/** Throws `format` for another length or version. */
export function decodeCredential(bytes: Uint8Array): Credential {
  const reader = new ByteReader(bytes, 'credential');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a credential of another version');
  const credential = {
    epoch: asEpoch(reader.u32()),
    ephId: reader.take(16),
    epochPublicKey: reader.take(32),
    signature: reader.take(SIGNATURE_BYTES),
  };
  reader.end();
  return credential;
}

export function issueCredential(issuer: Signer, body: CredentialBody): Credential {
  return { ...body, signature: signDomain(issuer, DOMAIN, encodeCredentialBody(body)) };
}

export function verifyCredential(issuerPublicKey: Uint8Array, credential: Credential): boolean {
  return verifyDomain(issuerPublicKey, DOMAIN, encodeCredentialBody(credential), credential.signature);
}
