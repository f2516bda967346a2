import { encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import {
  openLedgerReceipt,
  signLedgerReceipt,
  type LedgerReceipt,
} from '../../protocol/mqtt/ledger-receipt.js';
import { codeOf, withFlippedBit } from './errors-of.js';

const signer = fastSigner(new Uint8Array(32).fill(4));
const receipt: LedgerReceipt = {
  writerId: new Uint8Array(16).fill(1),
  seq: 41,
  batchHash: new Uint8Array(32).fill(2),
  outcomes: [
    { reason: 0, index: 7 },
    { reason: 4, index: null },
  ],
  checkpoint: 'a log\n9\nroot\n\n— a log signature\n',
};
const DOMAIN = 'firebreak/ledger-receipt/v1';

/** What a ledger with our key, but another idea of the format, might send. */
function resigned(...list: unknown[]): Uint8Array {
  const body = encode(list, rfc8949EncodeOptions);
  return Buffer.concat([body, signDomain(signer, DOMAIN, body)]);
}

const { writerId, seq, batchHash, checkpoint } = receipt;

describe('a ledger receipt', () => {
  test('is the deterministic CBOR that cborg makes, signed, and comes back', () => {
    const outcome = fc.oneof(
      fc.maxSafeNat().map((index) => ({ reason: 0, index })),
      fc.integer({ min: 1, max: 255 }).map((reason) => ({ reason, index: null })),
    );
    const texts = fc.string({ unit: 'grapheme', maxLength: 200 });
    fc.assert(
      fc.property(
        fc.maxSafeNat(),
        fc.array(outcome, { minLength: 1, maxLength: 256 }),
        texts,
        (number, outcomes, text) => {
          const made = signLedgerReceipt({ ...receipt, seq: number, outcomes, checkpoint: text }, signer);
          const rows = outcomes.map(({ reason, index }) => [reason, index]);
          expect(Buffer.from(made)).toEqual(
            Buffer.from(resigned(1, writerId, number, batchHash, rows, text)),
          );
          expect(openLedgerReceipt(made, signer.publicKey)).toEqual({
            ...receipt,
            seq: number,
            outcomes,
            checkpoint: text,
          });
        },
      ),
      { numRuns: 50 },
    );
  });

  test('is refused from another ledger, and with any bit turned over', () => {
    const made = signLedgerReceipt(receipt, signer);
    const other = fastSigner(new Uint8Array(32).fill(5));
    expect(codeOf(() => openLedgerReceipt(made, other.publicKey))).toBe('signature');
    for (let bit = 0; bit < made.length * 8; bit++) {
      expect(codeOf(() => openLedgerReceipt(withFlippedBit(made, bit), signer.publicKey))).toMatch(
        /^(format|signature|size)$/,
      );
    }
  });

  test('is refused when it contradicts itself or has another shape', () => {
    const shapes = [
      resigned(2, writerId, seq, batchHash, [[0, 7]], checkpoint),
      resigned(1, writerId, seq, batchHash, [], checkpoint),
      resigned(1, writerId, seq, batchHash, [[0, null]], checkpoint),
      resigned(1, writerId, seq, batchHash, [[4, 7]], checkpoint),
      resigned(1, writerId, seq, batchHash, [[256, null]], checkpoint),
      resigned(1, writerId, seq, batchHash, [[0, 7, 0]], checkpoint),
      resigned(
        1,
        writerId,
        seq,
        batchHash,
        Array.from({ length: 257 }, () => [0, 7]),
        checkpoint,
      ),
      resigned(1, writerId.subarray(1), seq, batchHash, [[0, 7]], checkpoint),
      resigned(1, writerId, seq, batchHash.subarray(1), [[0, 7]], checkpoint),
      resigned(1, writerId, seq, batchHash, [[0, 7]], 'a'.repeat(65_537)),
      resigned(1, writerId, seq, batchHash, [[0, 7]], checkpoint, 0),
      new Uint8Array(3),
    ];
    for (const shape of shapes)
      expect(codeOf(() => openLedgerReceipt(shape, signer.publicKey))).toBe('format');
  });

  test('is not signed when it contradicts itself or is over its bounds', () => {
    const make = (changes: Partial<LedgerReceipt>) =>
      codeOf(() => signLedgerReceipt({ ...receipt, ...changes }, signer));
    expect(make({})).toBeUndefined();
    expect(make({ outcomes: [] })).toBe('format');
    expect(make({ outcomes: [{ reason: 0, index: null }] })).toBe('format');
    expect(make({ outcomes: [{ reason: 1, index: 1 }] })).toBe('format');
    expect(make({ outcomes: Array.from({ length: 257 }, () => ({ reason: 1, index: null })) })).toBe(
      'format',
    );
    expect(make({ writerId: new Uint8Array(15) })).toBe('format');
    expect(make({ batchHash: new Uint8Array(31) })).toBe('format');
    expect(make({ checkpoint: 'a'.repeat(65_537) })).toBe('format');
  });
});
