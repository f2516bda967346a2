/** What the issuer key signs beside credentials and packs (protocol.md §7), each as the bytes that go out. */
import { asUnixMs } from '../protocol/brands.js';
import { encodeDayKeyStatement, issueDayKeyStatement } from '../protocol/session/day-key-statement.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
  MAX_CERTIFICATE_DAYS,
} from '../protocol/session/gateway-certificate.js';
import type { DayKeys } from '../protocol/keys.js';
import { signRevocation } from '../protocol/session/revocation.js';

/** Certifies a gateway for seven days from `fromDay` on: as long as a certificate may hold. */
export function certifyGateway(issuer: Signer, gatewayPublicKey: Uint8Array, fromDay: number): Uint8Array {
  const toDay = fromDay + MAX_CERTIFICATE_DAYS - 1;
  return encodeGatewayCertificate(issueGatewayCertificate(issuer, { gatewayPublicKey, fromDay, toDay }));
}

export function stateDayKey(issuer: Signer, { day, sealingPublicKey }: DayKeys): Uint8Array {
  return encodeDayKeyStatement(issueDayKeyStatement(issuer, day, sealingPublicKey));
}

export function revokeGateway(issuer: Signer, gatewayId: Uint8Array, fromMs: number): Uint8Array {
  return signRevocation(issuer, { gatewayId, fromMs: asUnixMs(fromMs) });
}
