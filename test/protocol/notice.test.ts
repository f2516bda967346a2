import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import { fastSigner, signDomain } from '../../protocol/crypto/ed25519.js';
import { hasToken, noticeToken, openNotice, signNotice } from '../../protocol/tag/notice.js';
import { bytesOf, u32, u8 } from './arbitraries.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { issuer, secret, vectors } from './tag-vectors.js';

let drawn = 0;
const random = (length: number) => secret(`padding ${drawn++}`, length);
const tokens = (count: number) => Array.from({ length: count }, (_, i) => secret(`token ${i}`, 8));
const notice = (count: number) => ({ day: vectors.day, number: 7, code: 1, tokens: tokens(count) });
const signed = signNotice(issuer, notice(3), random);
const open = (bytes: Uint8Array) => openNotice(bytes, issuer.publicKey);

describe('a notice', () => {
  test('says what was signed, to those who are meant and to nobody else', () => {
    const opened = open(signed);
    expect(opened).toMatchObject({ day: vectors.day, number: 7, code: 1 });
    expect(tokens(3).every((token) => hasToken(opened, token))).toBe(true);
    expect(hasToken(opened, secret('token 3', 8))).toBe(false);
  });

  test.each([
    [0, 1],
    [1, 1],
    [2, 2],
    [3, 4],
    [5, 8],
    [64, 64],
    [65, 128],
  ])('for %i tags has %i tokens', (count, padded) => {
    const bytes = signNotice(issuer, notice(count), random);
    expect(bytes).toHaveLength(16 + 8 * padded + 64);
    expect(open(bytes).tokens).toHaveLength(padded);
  });

  test('is the same bytes when what it says is signed again', () => {
    expect(signNotice(issuer, open(signed), random)).toEqual(signed);
  });

  test('holds its tokens in the order of their bytes, whatever order they came in', () => {
    fc.assert(
      fc.property(fc.array(bytesOf(8), { minLength: 1, maxLength: 9 }), u32(), u8(), (list, number, code) => {
        const opened = open(signNotice(issuer, { day: 1, number, code, tokens: list }, random));
        const sorted = opened.tokens.toSorted((a, b) => Buffer.compare(a, b));
        expect(opened.tokens).toEqual(sorted);
        expect(list.every((token) => hasToken(opened, token))).toBe(true);
      }),
      { numRuns: 30 },
    );
  });

  test('is refused with any single bit turned over', () => {
    for (let bit = 0; bit < signed.length * 8; bit++) {
      if (codeOf(() => open(withFlippedBit(signed, bit))) === undefined)
        expect.fail(`accepted with bit ${bit} turned over`);
    }
  });

  test('is refused from another issuer, and cut short or lengthened', () => {
    expect(codeOf(() => openNotice(signed, fastSigner(secret('stranger')).publicKey))).toBe('issuer');
    expect(codeOf(() => open(signed.subarray(0, -1)))).toBe('format');
    expect(codeOf(() => open(concat(signed, Uint8Array.of(0))))).toBe('format');
    expect(codeOf(() => open(new Uint8Array(0)))).toBe('format');
  });

  test('is refused, though signed, with tokens out of order or not a power of two', () => {
    const around = (count: number, list: Uint8Array) => {
      const body = concat(signed.slice(0, 14), Uint8Array.of(0, count), list);
      return concat(body, signDomain(issuer, 'firebreak/notice/v1', body));
    };
    const [a, b] = [new Uint8Array(8).fill(1), new Uint8Array(8).fill(2)];
    expect(codeOf(() => open(around(2, concat(a, b))))).toBeUndefined();
    expect(codeOf(() => open(around(2, concat(b, a))))).toBe('format');
    expect(codeOf(() => open(around(3, concat(a, a, b))))).toBe('format');
    expect(codeOf(() => open(around(0, new Uint8Array(0))))).toBe('format');
  });

  test('never holds more than 32,768 tokens', () => {
    const many = Array.from({ length: 32_769 }, () => new Uint8Array(8));
    expect(codeOf(() => signNotice(issuer, { ...notice(0), tokens: many }, random))).toBe('full');
  });

  test('has tokens that depend on key, number and code', () => {
    const key = secret('auth key', 16);
    const token = noticeToken(key, 7, 1);
    expect(token).toHaveLength(8);
    const others = [
      noticeToken(key, 8, 1),
      noticeToken(key, 7, 2),
      noticeToken(withFlippedBit(key, 0), 7, 1),
    ];
    for (const other of others) expect(other).not.toEqual(token);
  });
});
