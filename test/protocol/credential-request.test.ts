import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import {
  decodeCredentialRequest,
  encodeCredentialRequest,
  isRequestLength,
  openCredentialRequest,
  signCredentialRequest,
} from '../../protocol/tag/credential-request.js';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { secret, vectors } from './tag-vectors.js';

const firstEpochKey = fastSigner(secret('first epoch'));
const requestFor = (days: number) => ({
  replyPublicKey: secret('reply'),
  firstDay: vectors.day,
  days,
  epochPublicKeys: [
    firstEpochKey.publicKey,
    ...Array.from({ length: 96 * days - 1 }, (_, i) => secret(`key ${i}`)),
  ],
});

describe('a request for credentials', () => {
  test.each([1, 7])('of %i days is the same after encoding and decoding', (days) => {
    const bytes = encodeCredentialRequest(requestFor(days));
    expect(bytes).toHaveLength(37 + 96 * 32 * days);
    expect(isRequestLength(bytes.length)).toBe(true);
    expect(decodeCredentialRequest(bytes)).toEqual(requestFor(days));
  });

  test('covers one to seven days', () => {
    expect(codeOf(() => encodeCredentialRequest(requestFor(8)))).toBe('format');
    expect(codeOf(() => encodeCredentialRequest({ ...requestFor(1), days: 0, epochPublicKeys: [] }))).toBe(
      'format',
    );
    const bytes = encodeCredentialRequest(requestFor(1));
    for (const days of [0, 2, 8, 255])
      expect(codeOf(() => decodeCredentialRequest(bytes.with(36, days)))).toBe('format');
    expect([37, 37 + 3072 * 8, 38 + 3072].map(isRequestLength)).toEqual([false, false, false]);
  });

  test('by wire is opened as it was signed', () => {
    const signed = signCredentialRequest(firstEpochKey, requestFor(1));
    expect(openCredentialRequest(signed)).toEqual(requestFor(1));
  });

  test('by wire is refused unless its own first epoch key signed it', () => {
    const stranger = fastSigner(secret('stranger'));
    expect(codeOf(() => openCredentialRequest(signCredentialRequest(stranger, requestFor(1))))).toBe(
      'signature',
    );
  });

  test('by wire is refused with a bit turned over, and cut short or lengthened', () => {
    const signed = signCredentialRequest(firstEpochKey, requestFor(1));
    for (let bit = 0; bit < signed.length * 8; bit += 131) {
      expect(codeOf(() => openCredentialRequest(withFlippedBit(signed, bit)))).toMatch(
        /^(signature|format)$/,
      );
    }
    expect(codeOf(() => openCredentialRequest(signed.subarray(1)))).toBe('format');
    expect(codeOf(() => openCredentialRequest(concat(signed, Uint8Array.of(0))))).toBe('format');
    expect(codeOf(() => openCredentialRequest(new Uint8Array(3)))).toBe('format');
  });
});
