import { encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  BATCH_OVERHEAD,
  batchHash,
  batchItemSize,
  decodeBatch,
  encodeBatch,
  MAX_BATCH_ITEMS,
  MAX_BATCH_LENGTH,
  verifyBatch,
} from '../../protocol/mqtt/batch.js';
import { asUnixMs } from '../../protocol/brands.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { partyIdOf } from '../../protocol/keys.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { ledgerVectors } from './vectors-v1.js';

const signer = fastSigner(ledgerVectors.gatewaySeed);
const writerId = partyIdOf(signer.publicKey);
const item = (payload: Uint8Array, type = 1) => ({ type, timeMs: asUnixMs(5), payload });
const signed = (...list: unknown[]) => Buffer.concat([encode(list, rfc8949EncodeOptions), Buffer.alloc(64)]);

describe('the batch of protocol-v1.json', () => {
  const { seq, receivedAtMs, bytes, sha256 } = ledgerVectors.batch;
  const reports = [ledgerVectors.report_one.bytes, ledgerVectors.report_nine.bytes];

  test('comes out byte for byte', () => {
    const items = reports.map((payload, i) => ({ type: 1, timeMs: asUnixMs(receivedAtMs[i] ?? 0), payload }));
    const made = encodeBatch({ writerId, seq, items }, signer);
    expect(Buffer.from(made)).toEqual(Buffer.from(bytes));
    expect(Buffer.from(batchHash(made))).toEqual(Buffer.from(sha256));
  });

  test('decodes, verifies and encodes to itself', () => {
    const decoded = decodeBatch(bytes);
    expect(verifyBatch(decoded, ledgerVectors.gatewayPublicKey)).toBe(true);
    expect(decoded.batch.items.map(({ payload }) => payload)).toEqual(reports);
    expect(Buffer.from(encodeBatch(decoded.batch, signer))).toEqual(Buffer.from(bytes));
  });

  test('does not verify for another key, nor with any bit turned over', () => {
    const other = fastSigner(new Uint8Array(32).fill(9));
    expect(verifyBatch(decodeBatch(bytes), other.publicKey)).toBe(false);
    for (let bit = 0; bit < bytes.length * 8; bit += 61) {
      const mangled = withFlippedBit(bytes, bit);
      const code = codeOf(() => expect(verifyBatch(decodeBatch(mangled), signer.publicKey)).toBe(false));
      expect([undefined, 'format', 'size']).toContain(code);
    }
  });
});

describe('a batch', () => {
  test('is the deterministic CBOR that cborg makes, and comes back', () => {
    const items = fc.array(
      fc.record({
        type: fc.nat(65_535),
        timeMs: fc.maxSafeNat().map(asUnixMs),
        payload: fc.uint8Array({ maxLength: 300 }),
      }),
      { minLength: 1, maxLength: 40 },
    );
    fc.assert(
      fc.property(fc.maxSafeNat(), items, (seq, list) => {
        const made = encodeBatch({ writerId, seq, items: list }, signer);
        const rows = list.map(({ type, timeMs, payload }) => [type, timeMs, payload]);
        const expected = encode([1, writerId, seq, rows], rfc8949EncodeOptions);
        expect(Buffer.from(made.subarray(0, -64))).toEqual(Buffer.from(expected));
        expect(made.length).toBeLessThanOrEqual(
          list.reduce((sum, one) => sum + batchItemSize(one), BATCH_OVERHEAD),
        );
        expect(encodeBatch(decodeBatch(made).batch, signer)).toEqual(made);
        expect(verifyBatch(decodeBatch(made), signer.publicKey)).toBe(true);
      }),
      { numRuns: 50 },
    );
  });

  test('signed by its key under the id of another writer does not verify', () => {
    const made = encodeBatch(
      { writerId: new Uint8Array(16), seq: 1, items: [item(new Uint8Array(1))] },
      signer,
    );
    expect(verifyBatch(decodeBatch(made), signer.publicKey)).toBe(false);
  });

  test('is refused over its bounds, when made and when read', () => {
    const make = (items: ReturnType<typeof item>[]) =>
      codeOf(() => encodeBatch({ writerId, seq: 1, items }, signer));
    const one = item(new Uint8Array(1));
    const most = item(new Uint8Array(65_536));
    expect(make([])).toBe('size');
    expect(make(Array.from({ length: MAX_BATCH_ITEMS }, () => one))).toBeUndefined();
    expect(make(Array.from({ length: MAX_BATCH_ITEMS + 1 }, () => one))).toBe('size');
    expect(make([most])).toBeUndefined();
    expect(make([item(new Uint8Array(65_537))])).toBe('size');
    expect(make(Array.from({ length: 64 }, () => most))).toBe('size');
    expect(make([item(new Uint8Array(1), 65_536)])).toBe('format');
    expect(codeOf(() => encodeBatch({ writerId: new Uint8Array(15), seq: 1, items: [one] }, signer))).toBe(
      'format',
    );
    const row = [1, 5, new Uint8Array(1)];
    expect(codeOf(() => decodeBatch(new Uint8Array(MAX_BATCH_LENGTH + 1)))).toBe('size');
    expect(codeOf(() => decodeBatch(signed(1, writerId, 1, [[1, 5, new Uint8Array(65_537)]])))).toBe('size');
    expect(
      codeOf(() =>
        decodeBatch(
          signed(
            1,
            writerId,
            1,
            Array.from({ length: 257 }, () => row),
          ),
        ),
      ),
    ).toBe('format');
    expect(codeOf(() => decodeBatch(signed(1, writerId, 1, [])))).toBe('format');
    expect(codeOf(() => decodeBatch(signed(1, writerId, 1, [row])))).toBeUndefined();
  });

  test('of another shape is refused', () => {
    const row = [1, 5, new Uint8Array(1)];
    const shapes = [
      signed(2, writerId, 1, [row]),
      signed(1, writerId.subarray(1), 1, [row]),
      signed(1, writerId, -1, [row]),
      signed(1, writerId, 1, [row], 0),
      signed(1, writerId, 1, [[...row, 0]]),
      signed(1, writerId, 1, [[1, 5, 'a']]),
      signed(1, writerId, 1, [[65_536, 5, new Uint8Array(1)]]),
      Buffer.concat([signed(1, writerId, 1, [row]), Buffer.alloc(1)]),
      Buffer.alloc(0),
      Buffer.alloc(64),
    ];
    for (const shape of shapes) expect(codeOf(() => decodeBatch(shape))).toBe('format');
  });
});
