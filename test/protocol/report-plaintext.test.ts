import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  decodeReportPlaintext,
  encodeReportPlaintext,
  MAX_RECORDS,
} from '../../protocol/tag/report-plaintext.js';
import { decodeEncounterRecord } from '../../protocol/tag/encounter-record.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { bytesOf, records, u32 } from './arbitraries.js';
import { codeOf } from './errors-of.js';
import { vectors } from './tag-vectors.js';

const { day, report_nine: nine, report_empty: empty } = vectors;
const start = day * DAY_SECONDS;
const record = decodeEncounterRecord(vectors.recordB);
const prev = new Uint8Array(32);

describe("a report's plaintext", () => {
  test.each(['report_empty', 'report_one', 'report_nine'] as const)('is that of the vectors, %s', (name) => {
    const { plaintext, seq, prev: named } = vectors[name];
    const decoded = decodeReportPlaintext(plaintext, day);
    expect(decoded).toMatchObject({ seq, prev: named });
    expect(encodeReportPlaintext(decoded)).toEqual(plaintext);
  });

  test('is the same after encoding and decoding, at the first and last second of its day too', () => {
    const days = fc.array(records(start, start + DAY_SECONDS - 1), { maxLength: 40 });
    fc.assert(
      fc.property(u32(), bytesOf(32), days, (seq, named, list) => {
        const edges = [
          { ...record, start },
          { ...record, start: start + DAY_SECONDS - 1 },
        ];
        const plaintext = { seq, prev: named, records: [...list, ...edges] };
        expect(decodeReportPlaintext(encodeReportPlaintext(plaintext), day)).toEqual(plaintext);
      }),
    );
  });

  test.each([
    [0, 8],
    [8, 8],
    [9, 32],
    [32, 32],
    [33, 128],
    [128, 128],
    [129, 512],
    [512, 512],
    [513, 1024],
    [1024, 1024],
  ])('of %i records has room for %i', (count, bucket) => {
    const list = Array.from({ length: count }, () => record);
    const bytes = encodeReportPlaintext({ seq: 1, prev, records: list });
    expect(bytes).toHaveLength(38 + 50 * bucket);
    expect(decodeReportPlaintext(bytes, day).records).toHaveLength(count);
  });

  test('never holds more than 1,024 records', () => {
    const list = Array.from({ length: MAX_RECORDS + 1 }, () => record);
    expect(codeOf(() => encodeReportPlaintext({ seq: 1, prev, records: list }))).toBe('bucket');
  });

  test('is refused for any byte of padding that is not zero', () => {
    for (let at = 38; at < empty.plaintext.length; at++) {
      const bytes = empty.plaintext.slice();
      bytes[at] = 1;
      expect(codeOf(() => decodeReportPlaintext(bytes, day))).toBe('padding');
    }
  });

  test('is refused for another bucket than the smallest, or a count above it', () => {
    const withCount = (bytes: Uint8Array, count: number) => {
      const copy = bytes.slice();
      new DataView(copy.buffer).setUint16(36, count);
      return copy;
    };
    expect(codeOf(() => decodeReportPlaintext(withCount(nine.plaintext, 8), day))).toBe('bucket');
    expect(codeOf(() => decodeReportPlaintext(withCount(empty.plaintext, 9), day))).toBe('bucket');
    expect(codeOf(() => decodeReportPlaintext(withCount(empty.plaintext, 0xffff), day))).toBe('bucket');
    expect(codeOf(() => decodeReportPlaintext(empty.plaintext.subarray(0, -1), day))).toBe('bucket');
  });

  test('is refused for a record of the day before or after', () => {
    const codeAt = (at: number) =>
      codeOf(() =>
        decodeReportPlaintext(
          encodeReportPlaintext({ seq: 1, prev, records: [{ ...record, start: at }] }),
          day,
        ),
      );
    expect(codeAt(start)).toBeUndefined();
    expect(codeAt(start - 1)).toBe('record-day');
    expect(codeAt(start + DAY_SECONDS)).toBe('record-day');
  });
});
