/** Gateway rows: exactly what the entries of type 3 make of them, in their order. */
import { equalBytes, toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { readGatewayEntry } from '../admission/gateway-entry.js';
import type { GatewayStatement } from '../sequence/checked-batch.js';
import { GatewayChanges } from '../sequence/gateway-changes.js';
import { encodeGatewayRecord } from '../store/gateway-record.js';
import type { Findings } from './findings.js';
import type { RowView } from './row-view.js';

export interface GatewayCheckInput {
  readonly rows: RowView;
  readonly findings: Findings;
  /** Whose signatures the statements must carry. */
  readonly issuerPublicKey: Uint8Array;
  /** Entries of type 3, in order, each with its payload; `undefined` where that is damaged or gone. */
  readonly entries: readonly { readonly index: number; readonly payload: Uint8Array | undefined }[];
  /** Every entry of the log is as it was logged. */
  readonly complete: boolean;
}

function readStatements({ entries, issuerPublicKey, findings }: GatewayCheckInput): GatewayStatement[] {
  return entries.flatMap(({ index, payload }) => {
    if (payload === undefined) return [];
    try {
      return [readGatewayEntry(payload, issuerPublicKey)];
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      findings.damage('gateways', `names a gateway, and must not have been let in: ${error.message}`, {
        index,
      });
      return [];
    }
  });
}

/** Compares all gateway rows; not what they say while a statement is missing. */
export function checkGateways(input: GatewayCheckInput): void {
  const { rows, findings } = input;
  const changes = new GatewayChanges({ find: () => undefined, isConfigured: () => true });
  for (const statement of readStatements(input)) changes.take(statement);
  const expected = new Map(
    changes.changed.map((record) => [toHex(record.gatewayId), encodeGatewayRecord(record)]),
  );
  const isComparable = input.complete && input.entries.every(({ payload }) => payload !== undefined);
  for (const { key, value } of rows.ofKind('g')) {
    const id = toHex(key.subarray(1));
    const row = expected.get(id);
    expected.delete(id);
    if (isComparable && row === undefined)
      findings.damage('gateways', `gateway ${id} has a row, and no entry names it`);
    else if (isComparable && row !== undefined && !equalBytes(row, value))
      findings.damage('gateways', `the row of gateway ${id} is not what the log says of it`);
  }
  for (const id of expected.keys()) findings.damage('gateways', `the row of gateway ${id} is missing`);
}
