/**
 * Revocation of a gateway (protocol.md §7), 93 bytes.
 *
 *     01 || issuerId 4 || gatewayId 16 || fromMs u64 || sig(issuer, "firebreak/revoke/v1")
 */
import { asUnixMs } from '../brands.js';
import type { UnixMs } from '../brands.js';
import { ByteReader, ByteWriter, concat, equalBytes } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { issuerIdOf } from '../keys.js';

const DOMAIN = 'firebreak/revoke/v1';
const VERSION = 1;
export const REVOCATION_BYTES = 93;
const BODY_BYTES = REVOCATION_BYTES - SIGNATURE_BYTES;

export interface Revocation {
  readonly gatewayId: Uint8Array;
  readonly fromMs: UnixMs;
}

export function signRevocation(issuer: Signer, revocation: Revocation): Uint8Array {
  const body = new ByteWriter(BODY_BYTES)
    .u8(VERSION)
    .bytes(issuerIdOf(issuer.publicKey))
    .bytes(revocation.gatewayId)
    .u64(revocation.fromMs)
    .finish();
  return concat(body, signDomain(issuer, DOMAIN, body));
}

/** Throws `format`, `issuer` or `signature`. */
export function openRevocation(bytes: Uint8Array, issuerPublicKey: Uint8Array): Revocation {
  const reader = new ByteReader(bytes, 'revocation');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a revocation of another version');
  const issuerId = reader.take(4);
  const revocation = { gatewayId: reader.take(16), fromMs: asUnixMs(reader.u64()) };
  const signature = reader.take(SIGNATURE_BYTES);
  reader.end();
  if (!equalBytes(issuerId, issuerIdOf(issuerPublicKey)))
    throw new FirebreakError('issuer', 'a revocation of another issuer');
  if (verifyDomain(issuerPublicKey, DOMAIN, bytes.subarray(0, BODY_BYTES), signature)) return revocation;
  throw new FirebreakError('signature', 'the revocation is not signed by the issuer');
}
