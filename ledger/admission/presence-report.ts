/** Type 2: a gateway's own presence report, checked against the writer as the gateway (protocol.md §8). */
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { partyIdOf } from '../../protocol/keys.js';
import { checkPresenceReport } from '../../protocol/session/presence-report.js';
import type { ReportRules } from './tag-report.js';
import type { Writer } from './writer.js';

/** The day of the report's records. Throws with a gateway's refusal code. */
export function presenceReportDay(
  { payload, timeMs }: BatchItem,
  { publicKey }: Writer,
  rules: ReportRules,
): number {
  const { issuerPublicKey, retentionDays } = rules;
  const gateway = { gatewayId: partyIdOf(publicKey), gatewayPublicKey: publicKey };
  return checkPresenceReport(payload, { issuerPublicKey, retentionDays, receivedAtMs: timeMs, ...gateway })
    .day;
}
