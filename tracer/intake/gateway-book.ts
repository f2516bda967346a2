/**
 * The public keys of gateways, from the certificates that the issuer logged (protocol.md §10, type 3), and
 * where these stand, so that evidence can cite them (evidence.md).
 */
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import type { GatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';

/** A certificate in the log. */
export interface CertificatePlace {
  readonly gatewayId: Uint8Array;
  /** Both included. */
  readonly fromDay: number;
  readonly toDay: number;
  readonly ledgerIndex: number;
}

export class GatewayBook {
  readonly #issuerPublicKey: Uint8Array;
  readonly #keys = new Map<string, Uint8Array>();
  /** By gateway, in the order of the log. */
  readonly #certificates = new Map<string, CertificatePlace[]>();

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

  /** The first certificate in the log, before this index, by which the gateway was approved on that day. */
  certificateAt(gatewayId: Uint8Array, day: number, before: number): CertificatePlace | undefined {
    return this.#certificates
      .get(toHex(gatewayId))
      ?.find(({ fromDay, toDay, ledgerIndex }) => fromDay <= day && day <= toDay && ledgerIndex < before);
  }

  /** Where all certificates stand that are not forgotten. */
  certificates(): readonly CertificatePlace[] {
    return [...this.#certificates.values()].flat();
  }

  /** A certificate that was read before. */
  restoreCertificate(place: CertificatePlace): void {
    const key = toHex(place.gatewayId);
    this.#certificates.set(key, [...(this.#certificates.get(key) ?? []), place]);
  }

  /** Where certificates stand that ended before this day is not asked any more. The keys stay. */
  forgetBefore(day: number): void {
    for (const [key, places] of this.#certificates) {
      const left = places.filter(({ toDay }) => toDay >= day);
      if (left.length === 0) this.#certificates.delete(key);
      else if (left.length < places.length) this.#certificates.set(key, left);
    }
  }

  /**
   * A revocation takes no key back: what a gateway signed before it still counts, and the ledger admits nothing
   * after.
   */
  take(payload: Uint8Array, ledgerIndex: number): void {
    const certificate = certificateIn(payload);
    if (certificate === undefined) return;
    if (!verifyGatewayCertificate(this.#issuerPublicKey, certificate, certificate.fromDay)) return;
    const { gatewayPublicKey, fromDay, toDay } = certificate;
    const gatewayId = partyIdOf(gatewayPublicKey);
    this.#keys.set(toHex(gatewayId), gatewayPublicKey);
    this.restoreCertificate({ gatewayId, fromDay, toDay, ledgerIndex });
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
