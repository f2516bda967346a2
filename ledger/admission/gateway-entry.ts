/** Type 3: the certificate or revocation inside must be the issuer's own (protocol.md §7, §10). */
import { FirebreakError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { openRevocation } from '../../protocol/session/revocation.js';
import type { GatewayStatement } from '../sequence/checked-batch.js';

function enrolled(bytes: Uint8Array, issuerPublicKey: Uint8Array): GatewayStatement {
  const certificate = decodeGatewayCertificate(bytes);
  const { gatewayPublicKey: publicKey, fromDay, toDay } = certificate;
  // The days themselves are judged for each entry the gateway brings, not here.
  if (verifyGatewayCertificate(issuerPublicKey, certificate, fromDay))
    return { kind: 'enrolled', publicKey, fromDay, toDay };
  throw new FirebreakError('certificate', 'a gateway certificate that this issuer did not sign');
}

function revoked(bytes: Uint8Array, issuerPublicKey: Uint8Array): GatewayStatement {
  try {
    return { kind: 'revoked', ...openRevocation(bytes, issuerPublicKey) };
  } catch (cause) {
    if (!(cause instanceof FirebreakError) || cause.code !== 'signature') throw cause;
    throw new FirebreakError('certificate', 'a revocation that this issuer did not sign', { cause });
  }
}

/** What the entry says of a gateway. Throws `format`, `issuer`, `certificate`. */
export function readGatewayEntry(payload: Uint8Array, issuerPublicKey: Uint8Array): GatewayStatement {
  const inside = decodeGatewayPayload(payload);
  return inside.kind === 'enrolled'
    ? enrolled(inside.certificate, issuerPublicKey)
    : revoked(inside.revocation, issuerPublicKey);
}
