/**
 * Type 10: only the issuer prunes (protocol.md §10, §13). When a day may be pruned, sequence/day-changes.ts
 * decides by the log.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import type { DayStatement } from '../sequence/checked-batch.js';
import type { Writer } from './writer.js';

/** Throws `format`, `type`. */
export function readPruningEntry(
  payload: Uint8Array,
  { publicKey }: Writer,
  issuerPublicKey: Uint8Array,
): DayStatement {
  if (!equalBytes(publicKey, issuerPublicKey))
    throw new FirebreakError('type', 'only the issuer prunes the payloads of a day');
  return { kind: 'payloads-pruned', day: decodePruningPayload(payload).day };
}
