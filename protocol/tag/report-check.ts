/**
 * The checks a report passes at a gateway, again at the ledger and again at the tracer (protocol.md §7, §8),
 * in the order of the refusal reasons. Offline: the issuer's public key and a clock reading are all it takes.
 */
import { equalBytes } from '../bytes.js';
import { verifyCredential } from './credential.js';
import { verifyDomain } from '../crypto/ed25519.js';
import { FirebreakError } from '../errors.js';
import type { GatewayRefusal } from '../errors.js';
import { issuerIdOf } from '../keys.js';
import { decodeReport, reportDomain, signedPart } from './report.js';
import type { ReportEnvelope } from './report.js';
import { dayOf, epochOf } from '../time.js';

export interface ReportContext {
  readonly issuerPublicKey: Uint8Array;
  /** When the gateway received it: the gateway's clock there, the batch's word for it later. */
  readonly receivedAtMs: number;
  readonly retentionDays: number;
  readonly gatewayId: Uint8Array;
  /** The session's nonce; only the gateway itself can check it. */
  readonly nonce?: Uint8Array;
}

/** The report, when nothing speaks against it. Throws a FirebreakError whose code is a GatewayRefusal. */
export function checkReport(bytes: Uint8Array, context: ReportContext): ReportEnvelope {
  const report = decodeReport(bytes);
  const { credential } = report;
  refuseUnless(equalBytes(report.issuerId, issuerIdOf(context.issuerPublicKey)), 'issuer');
  refuseUnless(verifyCredential(context.issuerPublicKey, credential), 'credential-signature');
  const domain = reportDomain(report.kind);
  const signed = verifyDomain(credential.epochPublicKey, domain, signedPart(bytes), report.signature);
  refuseUnless(signed, 'report-signature');
  const receivedAt = context.receivedAtMs / 1000;
  refuseUnless(Math.abs(credential.epoch - epochOf(receivedAt)) <= 1, 'epoch');
  refuseUnless(isAcceptedDay(report.day, receivedAt, context.retentionDays), 'day');
  const ownNonce = context.nonce === undefined || equalBytes(report.nonce, context.nonce);
  refuseUnless(ownNonce && equalBytes(report.gatewayId, context.gatewayId), 'session');
  return report;
}

/** receivedDay − retention to receivedDay + 1. */
export function isAcceptedDay(day: number, receivedAtSeconds: number, retentionDays: number): boolean {
  const receivedDay = dayOf(receivedAtSeconds);
  return day >= receivedDay - retentionDays && day <= receivedDay + 1;
}

const WORDS: Readonly<Partial<Record<GatewayRefusal, string>>> = {
  issuer: 'the report names another issuer',
  'credential-signature': 'the credential is not signed by the issuer',
  'report-signature': 'the report is not signed with its credential’s key',
  epoch: 'the credential is of another epoch than now',
  day: 'the report is of a day that is not accepted now',
  session: 'the report was made for another gateway or session',
};

function refuseUnless(holds: boolean, refusal: GatewayRefusal): void {
  if (!holds) throw new FirebreakError(refusal, WORDS[refusal] ?? refusal);
}
