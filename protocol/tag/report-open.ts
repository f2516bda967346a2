/** Opening a report with the day keys of the authority (protocol.md §8): what only the tracer can check. */
import type { TagNumber } from '../brands.js';
import { resolveEphemeralId } from './ephemeral-id.js';
import { FirebreakError } from '../errors.js';
import { hpkeDecap, hpkeOpenWith } from '../crypto/hpke.js';
import type { DayKeys } from '../keys.js';
import { reportAad, reportInfo, REPORT_KINDS } from './report.js';
import type { ReportEnvelope } from './report.js';
import { decodeReportPlaintext } from './report-plaintext.js';
import type { ReportPlaintext } from './report-plaintext.js';
import { dayOfEpoch } from '../time.js';

/** The keys of a day, while they exist. */
export type DayKeysOf = (day: number) => DayKeys | undefined;

export interface OpenedReport {
  /** Whoever signed: all records are that tag's. */
  readonly tag: TagNumber;
  readonly plaintext: ReportPlaintext;
  /** The same as it was sealed; a plaintext has one form only. */
  readonly plaintextBytes: Uint8Array;
}

/**
 * Opens a checked report of kind 1. Throws `sealing`, `ephemeral-id`, `bucket`, `padding`, `reserved` or `record-day`,
 * in this order; `format` for a request for credentials.
 */
export function openReport(report: ReportEnvelope, dayKeysOf: DayKeysOf): OpenedReport {
  requireEncounters(report);
  const plaintextBytes = openSealed(report, dayKeysOf);
  const tag = resolveReporter(report, dayKeysOf);
  return { tag, plaintext: decodeReportPlaintext(plaintextBytes, report.day), plaintextBytes };
}

/** The sealed part of a report of either kind. Throws `sealing`, also when the day's keys are gone. */
export function openSealed(report: ReportEnvelope, dayKeysOf: DayKeysOf): Uint8Array {
  return openWith(report, reportSecret(report, dayKeysOf));
}

/**
 * The HPKE shared secret of this one report (protocol.md §11), 32 bytes: it opens the report and nothing else. Throws
 * `sealing`, also when the day's keys are gone.
 */
export function reportSecret(report: ReportEnvelope, dayKeysOf: DayKeysOf): Uint8Array {
  const keys = dayKeysOf(report.day);
  if (!keys) throw new FirebreakError('sealing', `there are no keys of day ${report.day}`);
  const recipient = { recipientSecretKey: keys.sealingSecretKey, recipientPublicKey: keys.sealingPublicKey };
  return hpkeDecap(recipient, report.enc);
}

/**
 * What a checked report of kind 1 says, with nothing but its shared secret. Throws `sealing`, `bucket`, `padding`,
 * `reserved` or `record-day`, in this order; `format` for a request for credentials.
 */
export function readReport(report: ReportEnvelope, sharedSecret: Uint8Array): ReportPlaintext {
  requireEncounters(report);
  return decodeReportPlaintext(openWith(report, sharedSecret), report.day);
}

function openWith({ kind, bytes, ciphertext }: ReportEnvelope, sharedSecret: Uint8Array): Uint8Array {
  return hpkeOpenWith(sharedSecret, { info: reportInfo(kind), aad: reportAad(bytes), ciphertext });
}

function requireEncounters({ kind }: ReportEnvelope): void {
  if (kind === REPORT_KINDS.encounters) return;
  throw new FirebreakError('format', 'a report that carries no encounters');
}

/** The tag behind the credential's ephemeral ID. Throws `ephemeral-id` when it is not ours or of another epoch. */
export function resolveReporter({ credential }: ReportEnvelope, dayKeysOf: DayKeysOf): TagNumber {
  const keys = dayKeysOf(dayOfEpoch(credential.epoch));
  const resolved = keys && resolveEphemeralId(keys.idKey, credential.ephId);
  if (resolved && resolved.epoch === credential.epoch) return resolved.tag;
  throw new FirebreakError(
    'ephemeral-id',
    'the ephemeral ID of the credential is not one of this authority for its epoch',
  );
}
