/**
 * Gateway certificate (protocol.md §7), 109 bytes. At most 7 days: tags cannot check revocation.
 *
 *     01 || issuerId 4 || gateway public key 32 || fromDay u32 || toDay u32 || sig(issuer, "firebreak/gateway/v1")
 *
 * Both days are included.
 */
import { ByteReader, ByteWriter, concat, equalBytes } from '../bytes.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain } from '../crypto/ed25519.js';
import type { Signer } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import { issuerIdOf } from '../keys.js';

const DOMAIN = 'firebreak/gateway/v1';
const VERSION = 1;
export const CERTIFICATE_BYTES = 109;
export const MAX_CERTIFICATE_DAYS = 7;

export interface GatewayCertificate {
  readonly issuerId: Uint8Array;
  readonly gatewayPublicKey: Uint8Array;
  readonly fromDay: number;
  readonly toDay: number;
  readonly signature: Uint8Array;
}

type Body = Omit<GatewayCertificate, 'signature'>;

function encodeBody(body: Body): Uint8Array {
  return new ByteWriter(CERTIFICATE_BYTES - SIGNATURE_BYTES)
    .u8(VERSION)
    .bytes(body.issuerId)
    .bytes(body.gatewayPublicKey)
    .u32(body.fromDay)
    .u32(body.toDay)
    .finish();
}

export function encodeGatewayCertificate(certificate: GatewayCertificate): Uint8Array {
  return concat(encodeBody(certificate), certificate.signature);
}

/** Throws `format` for another length or version, days that run backwards, or more than seven of them. */
export function decodeGatewayCertificate(bytes: Uint8Array): GatewayCertificate {
  const reader = new ByteReader(bytes, 'gateway certificate');
  if (reader.u8() !== VERSION) throw new FirebreakError('format', 'a gateway certificate of another version');
  const certificate = {
    issuerId: reader.take(4),
    gatewayPublicKey: reader.take(32),
    fromDay: reader.u32(),
    toDay: reader.u32(),
    signature: reader.take(SIGNATURE_BYTES),
  };
  reader.end();
  requireDays(certificate);
  return certificate;
}

export function issueGatewayCertificate(
  issuer: Signer,
  given: Pick<GatewayCertificate, 'gatewayPublicKey' | 'fromDay' | 'toDay'>,
): GatewayCertificate {
  const body = { issuerId: issuerIdOf(issuer.publicKey), ...given };
  requireDays(body);
  return { ...body, signature: signDomain(issuer, DOMAIN, encodeBody(body)) };
}

/** Whether this issuer signed it and it holds on that day. */
export function verifyGatewayCertificate(
  issuerPublicKey: Uint8Array,
  certificate: GatewayCertificate,
  day: number,
): boolean {
  return (
    certificate.fromDay <= day &&
    day <= certificate.toDay &&
    equalBytes(certificate.issuerId, issuerIdOf(issuerPublicKey)) &&
    verifyDomain(issuerPublicKey, DOMAIN, encodeBody(certificate), certificate.signature)
  );
}

function requireDays({ fromDay, toDay }: Pick<Body, 'fromDay' | 'toDay'>): void {
  if (fromDay <= toDay && toDay - fromDay < MAX_CERTIFICATE_DAYS) return;
  throw new FirebreakError('format', `a gateway certificate holds for 1 to ${MAX_CERTIFICATE_DAYS} days`);
}
