/**
 * What is sealed in a report (protocol.md §8).
 *
 *     seq u32 || prev 32 || count u16 || records 50·count || zeros up to 38 + 50·B
 *
 * B is the smallest of 8, 32, 128, 512, 1024 that holds count: an observer sees a bucket, not a count.
 */
import { ByteReader, ByteWriter, isZero } from '../bytes.js';
import { decodeEncounterRecord, encodeEncounterRecord, RECORD_BYTES } from './encounter-record.js';
import type { EncounterRecord } from './encounter-record.js';
import { FirebreakError } from '../errors.js';
import { dayOf } from '../time.js';

const HEAD_BYTES = 38;
const BUCKETS = [8, 32, 128, 512, 1024] as const;
export const MAX_RECORDS = 1024;
export const MAX_PLAINTEXT_BYTES = HEAD_BYTES + RECORD_BYTES * MAX_RECORDS;

export interface ReportPlaintext {
  /** The tag's own count of reports. */
  readonly seq: number;
  /** H(this tag's last receipted report), zeros for the first. */
  readonly prev: Uint8Array;
  readonly records: readonly EncounterRecord[];
}

/** The smallest bucket for `count` items; `undefined` above 1,024. */
export const bucketFor = (count: number): number | undefined => BUCKETS.find((bucket) => count <= bucket);

export const isPlaintextLength = (bytes: number): boolean =>
  BUCKETS.some((bucket) => bytes === HEAD_BYTES + RECORD_BYTES * bucket);

/** Throws `bucket` for more than 1,024 records. */
export function encodeReportPlaintext(plaintext: ReportPlaintext): Uint8Array {
  const { records } = plaintext;
  const bucket = bucketFor(records.length);
  if (bucket === undefined)
    throw new FirebreakError('bucket', `a report holds ${MAX_RECORDS} records, not ${records.length}`);
  const writer = new ByteWriter(HEAD_BYTES + RECORD_BYTES * bucket);
  writer.u32(plaintext.seq).bytes(plaintext.prev).u16(records.length);
  for (const record of records) writer.bytes(encodeEncounterRecord(record));
  return writer.bytes(new Uint8Array(RECORD_BYTES * (bucket - records.length))).finish();
}

/** Throws `bucket`, `padding`, `reserved`, or `record-day` for a record that starts on another day, in this order. */
export function decodeReportPlaintext(bytes: Uint8Array, day: number): ReportPlaintext {
  const reader = new ByteReader(bytes, 'report plaintext');
  const head = { seq: reader.u32(), prev: reader.take(32) };
  const count = reader.u16();
  const bucket = bucketFor(count);
  if (bucket === undefined || bytes.length !== HEAD_BYTES + RECORD_BYTES * bucket) {
    throw new FirebreakError('bucket', 'a report is padded to another bucket than its count asks for');
  }
  if (!isZero(bytes.subarray(HEAD_BYTES + RECORD_BYTES * count))) {
    throw new FirebreakError('padding', 'the padding of a report is not zero');
  }
  const records = Array.from({ length: count }, () => decodeEncounterRecord(reader.view(RECORD_BYTES)));
  if (records.some((record) => dayOf(record.start) !== day)) {
    throw new FirebreakError('record-day', 'a record starts on another day than its report is of');
  }
  return { ...head, records };
}
