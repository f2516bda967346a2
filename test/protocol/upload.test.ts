import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { MAX_REPORT_BYTES } from '../../protocol/tag/report.js';
import {
  decodeUploadHeader,
  encodeUploadHeader,
  UploadAssembler,
  uploadWrites,
} from '../../protocol/session/upload.js';
import { codeOf } from './errors-of.js';
import { vectors } from './tag-vectors.js';

const { bytes: report } = vectors.report_one;

/** What the gateway makes of some writes: the last answer of the assembler. */
function assemble([header, ...pieces]: readonly Uint8Array[]): Uint8Array | undefined {
  const assembler = new UploadAssembler(decodeUploadHeader(header ?? new Uint8Array(0)));
  let whole: Uint8Array | undefined;
  for (const piece of pieces) whole = assembler.add(piece);
  return whole;
}

describe('an upload', () => {
  test('arrives whole over links of any width', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1, maxLength: 3000 }),
        fc.integer({ min: 36, max: 600 }),
        (given, width) => {
          const writes = uploadWrites(given, width);
          expect(Math.max(...writes.map((write) => write.length))).toBeLessThanOrEqual(Math.min(width, 512));
          expect(assemble(writes)).toEqual(given);
          expect(assemble(writes.slice(0, -1))).toBeUndefined();
        },
      ),
    );
  });

  test('begins with its length and hash', () => {
    const header = encodeUploadHeader({ totalBytes: report.length, reportHash: sha256(report) });
    expect(uploadWrites(report, 244)[0]).toEqual(header);
    expect(header).toHaveLength(36);
    expect(decodeUploadHeader(header)).toEqual({ totalBytes: 711, reportHash: vectors.report_one.sha256 });
  });

  test('is refused when it is empty, or longer than any report', () => {
    const headerOf = (totalBytes: number) => encodeUploadHeader({ totalBytes, reportHash: sha256() });
    expect(codeOf(() => new UploadAssembler(decodeUploadHeader(headerOf(0))))).toBe('format');
    expect(codeOf(() => new UploadAssembler(decodeUploadHeader(headerOf(MAX_REPORT_BYTES))))).toBeUndefined();
    expect(codeOf(() => new UploadAssembler(decodeUploadHeader(headerOf(MAX_REPORT_BYTES + 1))))).toBe(
      'format',
    );
    expect(codeOf(() => decodeUploadHeader(headerOf(1).subarray(1)))).toBe('format');
    expect(codeOf(() => decodeUploadHeader(concat(headerOf(1), Uint8Array.of(0))))).toBe('format');
  });

  test('is refused when it runs past its length, a piece is empty, or it is not what its hash says', () => {
    const [header = new Uint8Array(0)] = uploadWrites(report, 244);
    expect(codeOf(() => assemble([header, concat(report, Uint8Array.of(0))]))).toBe('format');
    expect(codeOf(() => assemble([header, report, Uint8Array.of(0)]))).toBe('format');
    expect(codeOf(() => assemble([header, new Uint8Array(0)]))).toBe('format');
    expect(codeOf(() => assemble([header, report.with(5, 99)]))).toBe('format');
  });

  test('does not begin over a link its header does not fit', () => {
    expect(codeOf(() => uploadWrites(report, 35))).toBe('size');
  });
});
