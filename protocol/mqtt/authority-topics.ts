/**
 * Payloads of the authority's retained topics (protocol.md §9, §13):
 *
 *     day-keys       day-key statements of 105 bytes in a row, ascending by day, at most 366
 *     revocations    revocations of 93 bytes in a row, oldest first, at most 4,096
 *     notices        the notices on offer in a row, newest first: tag/notice-list.ts
 *
 * An empty payload is no statement: that is how MQTT clears a retained topic. Each statement is verified by
 * its own codec.
 */
import { concat } from '../bytes.js';
import { STATEMENT_BYTES } from '../session/day-key-statement.js';
import { FirebreakError } from '../errors.js';
import { REVOCATION_BYTES } from '../session/revocation.js';

export const MAX_STATEMENTS = 366;
export const MAX_REVOCATIONS = 4096;

/** Throws `format` for a part of another length, `size` over the bound. */
export function joinDayKeyStatements(statements: readonly Uint8Array[]): Uint8Array {
  return joinRecords(statements, STATEMENT_BYTES, MAX_STATEMENTS);
}

/** Throws `format`, `size`. */
export function splitDayKeyStatements(payload: Uint8Array): Uint8Array[] {
  return splitRecords(payload, STATEMENT_BYTES, MAX_STATEMENTS);
}

/** Throws `format` for a part of another length, `size` over the bound. */
export function joinRevocations(revocations: readonly Uint8Array[]): Uint8Array {
  return joinRecords(revocations, REVOCATION_BYTES, MAX_REVOCATIONS);
}

/** Throws `format`, `size`. */
export function splitRevocations(payload: Uint8Array): Uint8Array[] {
  return splitRecords(payload, REVOCATION_BYTES, MAX_REVOCATIONS);
}

function joinRecords(records: readonly Uint8Array[], length: number, max: number): Uint8Array {
  requireCount(records.length, max);
  if (records.every((record) => record.length === length)) return concat(...records);
  throw new FirebreakError('format', `each statement on this topic has ${length} bytes`);
}

function splitRecords(payload: Uint8Array, length: number, max: number): Uint8Array[] {
  const count = payload.length / length;
  if (!Number.isInteger(count))
    throw new FirebreakError('format', `this topic holds whole statements of ${length} bytes`);
  requireCount(count, max);
  return Array.from(
    { length: count },
    (_, i) => new Uint8Array(payload.subarray(i * length, (i + 1) * length)),
  );
}

function requireCount(count: number, max: number): void {
  if (count > max) throw new FirebreakError('size', `a retained topic holds at most ${max} statements`);
}
