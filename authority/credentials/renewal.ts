/**
 * A request for more credentials (protocol.md §7): a report of kind 3, signed with the epoch key of a credential that
 * holds now. Which tag asks is told by that credential, and by nothing the request says.
 *
 * By wire there is no gateway and no session: gatewayId and nonce are zero. A request sent twice is answered twice, each
 * time sealed to the reply key inside it, so that repeating someone else's gains nothing.
 */
import type { TagNumber } from '../../protocol/brands.js';
import { decodeCredentialRequest, type CredentialRequest } from '../../protocol/tag/credential-request.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { openSealed, resolveReporter } from '../../protocol/tag/report-open.js';
import { REPORT_KINDS } from '../../protocol/tag/report.js';
import { dayOfEpoch } from '../../protocol/time.js';

/** gatewayId and nonce of a request that came by wire. */
export const BY_WIRE = new Uint8Array(16);

export interface RenewalContext {
  readonly issuerPublicKey: Uint8Array;
  readonly receivedAtMs: number;
  readonly retentionDays: number;
  /** Those it gives may be wiped a moment later. */
  readonly keysOf: (day: number) => Promise<DayKeys>;
}

/** Throws a GatewayRefusal, `sealing`, `ephemeral-id`, `not-found` when the day's keys are gone, or `format`. */
export async function openRenewal(
  bytes: Uint8Array,
  { keysOf, ...context }: RenewalContext,
): Promise<{ readonly tag: TagNumber; readonly request: CredentialRequest }> {
  const report = checkReport(bytes, { ...context, gatewayId: BY_WIRE, nonce: BY_WIRE });
  if (report.kind !== REPORT_KINDS.request) {
    throw new FirebreakError('format', 'this report carries encounters, not a request for credentials');
  }
  // the keys of each day are used before those of the next are waited for
  const keysOfCredential = await keysOf(dayOfEpoch(report.credential.epoch));
  const tag = resolveReporter(report, () => keysOfCredential);
  const keysOfReport = await keysOf(report.day);
  return { tag, request: decodeCredentialRequest(openSealed(report, () => keysOfReport)) };
}
