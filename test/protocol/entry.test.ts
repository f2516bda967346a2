import { encode, rfc8949EncodeOptions } from 'cborg';
import { createHash } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asUnixMs } from '../../protocol/brands.js';
import { rootOfLeaves } from '../../protocol/tlog/compact-range.js';
import {
  decodeEntry,
  encodeEntry,
  NO_PREVIOUS_LEAF,
  payloadNamedIn,
  type LedgerEntry,
} from '../../protocol/tlog/entry.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { codeOf } from './errors-of.js';
import { ledgerVectors } from './vectors-v1.js';

const bytes = (length: number) =>
  fc.uint8Array({ minLength: length, maxLength: length }).map((b) => new Uint8Array(b));
const times = fc.maxSafeNat().map(asUnixMs);
const entries: fc.Arbitrary<LedgerEntry> = fc.record({
  type: fc.nat(65_535),
  appendedAtMs: times,
  source: bytes(16),
  sourceSeq: fc.maxSafeNat(),
  sourceTimeMs: times,
  payloadLength: fc.nat(65_536),
  payloadSha256: bytes(32),
  previousLeaf: bytes(32),
});
const listOf = (entry: LedgerEntry) => [
  entry.type,
  entry.appendedAtMs,
  entry.source,
  entry.sourceSeq,
  entry.sourceTimeMs,
  entry.payloadLength,
  entry.payloadSha256,
  entry.previousLeaf,
];

describe('the ledger entries of protocol-v1.json', () => {
  const reports = [ledgerVectors.report_one.bytes, ledgerVectors.report_nine.bytes];

  test('come out byte for byte, with their leaves, chain and root', () => {
    let previousLeaf = NO_PREVIOUS_LEAF;
    for (const [i, vector] of ledgerVectors.entries.entries()) {
      const payload = reports[i] ?? new Uint8Array();
      const made = encodeEntry({
        type: 1,
        appendedAtMs: decodeEntry(vector.bytes).appendedAtMs,
        source: ledgerVectors.gatewayId,
        sourceSeq: ledgerVectors.batch.seq,
        sourceTimeMs: asUnixMs(ledgerVectors.batch.receivedAtMs[i] ?? 0),
        payloadLength: payload.length,
        payloadSha256: createHash('sha256').update(payload).digest(),
        previousLeaf,
      });
      expect(Buffer.from(made)).toEqual(Buffer.from(vector.bytes));
      expect(Buffer.from(leafHash(made))).toEqual(Buffer.from(vector.leaf));
      previousLeaf = vector.leaf;
    }
    const root = rootOfLeaves(ledgerVectors.entries.map(({ leaf }) => leaf));
    expect(Buffer.from(root)).toEqual(Buffer.from(ledgerVectors.root));
  });

  test('are refused when cut short or drawn out anywhere', () => {
    for (const { bytes } of ledgerVectors.entries) {
      for (let length = 0; length < bytes.length; length++) {
        expect(codeOf(() => decodeEntry(bytes.subarray(0, length)))).toBe('format');
        expect(codeOf(() => payloadNamedIn(bytes.subarray(0, length)))).toBe('format');
      }
      expect(codeOf(() => decodeEntry(Buffer.concat([bytes, Buffer.alloc(1)])))).toBe('format');
    }
  });
});

describe('a ledger entry', () => {
  test('is the deterministic CBOR that cborg makes of its list, and comes back', () => {
    fc.assert(
      fc.property(entries, (entry) => {
        const made = encodeEntry(entry);
        expect(Buffer.from(made)).toEqual(Buffer.from(encode(listOf(entry), rfc8949EncodeOptions)));
        expect(made.length).toBeLessThanOrEqual(131);
        expect(decodeEntry(made)).toEqual(entry);
        const { type, payloadSha256 } = entry;
        const named = payloadNamedIn(made);
        expect({ type: named.type, payloadSha256: new Uint8Array(named.payloadSha256) }).toEqual({
          type,
          payloadSha256,
        });
      }),
    );
  });

  test('with any byte changed is refused or encodes to the changed bytes again', () => {
    fc.assert(
      fc.property(entries, fc.nat(130), fc.integer({ min: 1, max: 255 }), (entry, at, change) => {
        const made = Buffer.from(encodeEntry(entry));
        const index = at % made.length;
        made[index] = (made[index] ?? 0) ^ change;
        const code = codeOf(() => expect(Buffer.from(encodeEntry(decodeEntry(made)))).toEqual(made));
        expect([undefined, 'format']).toContain(code);
      }),
    );
  });

  test('is refused over its bounds', () => {
    const entry = decodeEntry(ledgerVectors.entries[0]?.bytes ?? new Uint8Array());
    const listed = (changes: Partial<Record<number, unknown>>) =>
      encode(
        listOf(entry).map((value, i) => changes[i] ?? value),
        rfc8949EncodeOptions,
      );
    expect(codeOf(() => decodeEntry(listed({ 0: 65_536 })))).toBe('format');
    expect(codeOf(() => decodeEntry(listed({ 5: 65_537 })))).toBe('format');
    expect(codeOf(() => decodeEntry(listed({ 2: new Uint8Array(15) })))).toBe('format');
    expect(codeOf(() => decodeEntry(listed({ 7: new Uint8Array(33) })))).toBe('format');
    expect(codeOf(() => decodeEntry(encode([...listOf(entry), 0], rfc8949EncodeOptions)))).toBe('format');
    expect(codeOf(() => encodeEntry({ ...entry, type: -1 }))).toBe('format');
    expect(codeOf(() => encodeEntry({ ...entry, source: new Uint8Array(15) }))).toBe('format');
    expect(codeOf(() => encodeEntry({ ...entry, payloadLength: 65_537 }))).toBe('format');
  });
});
