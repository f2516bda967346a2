/** The public keys of gateways, from the certificates that the issuer logged (protocol.md §10, type 3). */
import { toHex } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { decodeGatewayCertificate, verifyGatewayCertificate } from '../protocol/gateway-certificate.js';
import type { GatewayCertificate } from '../protocol/gateway-certificate.js';
import { partyIdOf } from '../protocol/keys.js';
import { decodeGatewayPayload } from '../protocol/payload-gateway.js';

export class GatewayBook {
  readonly #issuerPublicKey: Uint8Array;
  readonly #keys = new Map<string, Uint8Array>();

  constructor(issuerPublicKey: Uint8Array) {
    this.#issuerPublicKey = issuerPublicKey;
  }

  publicKeyOf(gatewayId: Uint8Array): Uint8Array | undefined {
    return this.#keys.get(toHex(gatewayId));
  }

  /** All that are known. */
  publicKeys(): readonly Uint8Array[] {
    return [...this.#keys.values()];
  }

  /** A key whose certificate was read before. */
  restore(publicKey: Uint8Array): void {
    this.#keys.set(toHex(partyIdOf(publicKey)), publicKey);
  }

  /** A revocation takes no key back: what a gateway signed before it still counts, and the ledger admits nothing after. */
  take(payload: Uint8Array): void {
    const certificate = certificateIn(payload);
    if (certificate === undefined) return;
    if (!verifyGatewayCertificate(this.#issuerPublicKey, certificate, certificate.fromDay)) return;
    this.#keys.set(toHex(partyIdOf(certificate.gatewayPublicKey)), certificate.gatewayPublicKey);
  }
}

function certificateIn(payload: Uint8Array): GatewayCertificate | undefined {
  try {
    const content = decodeGatewayPayload(payload);
    return content.kind === 'enrolled' ? decodeGatewayCertificate(content.certificate) : undefined;
  } catch (error) {
    if (error instanceof FirebreakError) return undefined;
    throw error;
  }
}
