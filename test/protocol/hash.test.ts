import { createHmac, hkdfSync } from 'node:crypto';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat, fromHex, toHex } from '../../protocol/bytes.js';
import { hkdfSha256, hmacSha256, sha256 } from '../../protocol/crypto/hash.js';

const ascii = (text: string) => new Uint8Array(Buffer.from(text, 'latin1'));

describe('SHA-256', () => {
  test('gives the digests of FIPS 180-4', () => {
    expect(toHex(sha256(ascii('abc')))).toBe(
      'ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad',
    );
    expect(toHex(sha256())).toBe('e3b0c44298fc1c149afbf4c8996fb92427ae41e4649b934ca495991b7852b855');
  });

  test('is the same over parts as over the whole', () => {
    fc.assert(
      fc.property(fc.array(fc.uint8Array(), { maxLength: 5 }), (parts) => {
        expect(sha256(...parts)).toEqual(sha256(concat(...parts)));
      }),
    );
  });
});

describe('HMAC-SHA-256', () => {
  test('gives RFC 4231 test case 2', () => {
    expect(toHex(hmacSha256(ascii('Jefe'), ascii('what do ya want '), ascii('for nothing?')))).toBe(
      '5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843',
    );
  });

  test('takes keys and messages of any length', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 100 }), fc.uint8Array({ maxLength: 700 }), (key, message) => {
        const expected = createHmac('sha256', key).update(message).digest('hex');
        expect(toHex(hmacSha256(key, message))).toBe(expected);
      }),
    );
  });
});

describe('HKDF-SHA-256', () => {
  test('gives RFC 5869 A.1', () => {
    const secret = fromHex('0b'.repeat(22));
    const salt = fromHex('000102030405060708090a0b0c');
    expect(toHex(hkdfSha256(secret, salt, fromHex('f0f1f2f3f4f5f6f7f8f9'), 42))).toBe(
      '3cb25f25faacd57a90434f64d0362f2a2d2d0a90cf1a5a4c5db02d56ecc4c5bf34007208d5b887185865',
    );
  });

  test('gives RFC 5869 A.3, without salt and info', () => {
    const none = new Uint8Array(0);
    expect(toHex(hkdfSha256(fromHex('0b'.repeat(22)), none, none, 42))).toBe(
      '8da4e775a563c18f715f802a063c5a31b8a11f5c5ee1879ec3454e5f3c738d2d9d201395faa4b61a96c8',
    );
  });

  test('agrees with node:crypto at every length', () => {
    fc.assert(
      fc.property(
        fc.uint8Array({ minLength: 1 }),
        fc.uint8Array(),
        fc.uint8Array(),
        fc.integer({ min: 1, max: 300 }),
        (...given) => {
          expect(hkdfSha256(...given)).toEqual(new Uint8Array(hkdfSync('sha256', ...given)));
        },
      ),
    );
  });
});
