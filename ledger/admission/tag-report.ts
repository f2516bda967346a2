/**
 * Type 1: the ledger repeats the gateway's checks, against the time the gateway states and the writer as the gateway,
 * nonce aside (protocol.md §8).
 */
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { partyIdOf } from '../../protocol/keys.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import type { Writer } from './writer.js';

export interface ReportRules {
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
}

/** The day of the report's records. Throws with a gateway's refusal code. */
export function tagReportDay(item: BatchItem, writer: Writer, rules: ReportRules): number {
  const { issuerPublicKey, retentionDays } = rules;
  const gatewayId = partyIdOf(writer.publicKey);
  return checkReport(item.payload, { issuerPublicKey, retentionDays, receivedAtMs: item.timeMs, gatewayId })
    .day;
}
