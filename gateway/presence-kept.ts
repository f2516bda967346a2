/**
 * Presence reports that a gateway keeps on disk until they are in its spool, as one file:
 *
 *     per report: records u16 || length u16 || presence report
 *
 * They are sealed as they go to the ledger: whoever takes the gateway's disk learns from them what a listener on the wire
 * does, and not who was there.
 */
import { ByteReader, ByteWriter, concat } from '../protocol/bytes.js';

const HEAD_BYTES = 4;

export interface SealedPresence {
  readonly payload: Uint8Array;
  /** Records in it. */
  readonly count: number;
}

export function encodeKeptPresence(reports: readonly SealedPresence[]): Uint8Array {
  return concat(
    ...reports.flatMap(({ payload, count }) => [
      new ByteWriter(HEAD_BYTES).u16(count).u16(payload.length).finish(),
      payload,
    ]),
  );
}

/** Throws `format` for a file that ends within a report. What is in the reports is not looked at. */
export function decodeKeptPresence(bytes: Uint8Array): SealedPresence[] {
  const reader = new ByteReader(bytes, 'file of presence reports');
  const reports: SealedPresence[] = [];
  while (reader.remaining > 0) {
    const count = reader.u16();
    reports.push({ count, payload: reader.take(reader.u16()) });
  }
  return reports;
}

export const recordsIn = (reports: readonly SealedPresence[]): number =>
  reports.reduce((sum, { count }) => sum + count, 0);
