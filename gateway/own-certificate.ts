/** A gateway's certificate as it stands on a day: whether it may be shown to tags, and if not why, for who has to mend it. */
import { equalBytes } from '../protocol/bytes.js';
import { asError } from '../protocol/errors.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../protocol/session/gateway-certificate.js';
import type { GatewayCertificate } from '../protocol/session/gateway-certificate.js';
import { DAY_SECONDS } from '../protocol/time.js';

export type JudgedCertificate =
  | { readonly certificate: GatewayCertificate; readonly why: undefined }
  | { readonly certificate: undefined; readonly why: string };

interface CertificateContext {
  readonly gatewayPublicKey: Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  /** By the clock here, which may be what is wrong. */
  readonly day: number;
}

/** `bytes`: as they came from disk. */
export function judgeCertificate(bytes: Uint8Array, context: CertificateContext): JudgedCertificate {
  try {
    const certificate = decodeGatewayCertificate(bytes);
    const why = whyNot(certificate, context);
    return why === undefined ? { certificate, why } : { certificate: undefined, why };
  } catch (error) {
    const why = `its certificate cannot be read (${asError(error).message}): take it from the authority again`;
    return { certificate: undefined, why };
  }
}

function whyNot(certificate: GatewayCertificate, context: CertificateContext): string | undefined {
  const { gatewayPublicKey, issuerPublicKey, day } = context;
  const { fromDay, toDay } = certificate;
  if (!equalBytes(certificate.gatewayPublicKey, gatewayPublicKey))
    return 'its certificate is another gateway’s: take the one that the authority made for this key';
  if (!verifyGatewayCertificate(issuerPublicKey, certificate, fromDay))
    return 'its certificate is not signed by the authority of this folder';
  if (toDay < day)
    return `its certificate ended with ${dateOf(toDay)}, and here it is ${dateOf(day)}: ${RENEWAL}`;
  if (fromDay > day)
    return `its certificate begins on ${dateOf(fromDay)}, and here it is ${dateOf(day)}: set the clock of this machine`;
  return undefined;
}

const RENEWAL =
  'the authority renews it while it runs; from an authority on another machine bring gateways/NAME/certificate';

export const dateOf = (day: number): string => new Date(day * DAY_SECONDS * 1000).toISOString().slice(0, 10);
