import { encode, rfc8949EncodeOptions } from 'cborg';
import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { cborHeadSize, CborReader, CborWriter } from '../../protocol/cbor.js';
import { codeOf } from './errors-of.js';

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(' ', ''), 'hex');
const readerOf = (hex: string) => new CborReader(bytesOf(hex), 'a test message');
const uints = fc.oneof(
  fc.maxSafeNat(),
  fc.nat(300),
  fc.constantFrom(0, 23, 24, 255, 256, 65_535, 65_536, 2 ** 32 - 1, 2 ** 32, 2 ** 53 - 1),
);
const texts = fc.string({ unit: 'grapheme', maxLength: 300 });
const byteStrings = fc.uint8Array({ maxLength: 300 });

describe('the CBOR writer', () => {
  test('writes what cborg writes with its RFC 8949 options', () => {
    fc.assert(
      fc.property(
        uints,
        byteStrings,
        texts,
        fc.array(uints, { maxLength: 30 }),
        (number, bytes, text, list) => {
          const writer = new CborWriter(5000)
            .array(5)
            .uint(number)
            .bytes(bytes)
            .text(text)
            .null()
            .array(list.length);
          for (const item of list) writer.uint(item);
          const expected = encode([number, bytes, text, null, list], rfc8949EncodeOptions);
          expect(Buffer.from(writer.finish())).toEqual(Buffer.from(expected));
        },
      ),
    );
  });

  test('refuses numbers that are not whole, negative or over 2^53 − 1, and text that is not Unicode', () => {
    for (const number of [-1, 0.5, 2 ** 53, Number.NaN, Infinity]) {
      expect(codeOf(() => new CborWriter(20).uint(number))).toBe('format');
    }
    expect(codeOf(() => new CborWriter(20).text('\ud800'))).toBe('format');
  });

  test('does not write past its capacity unnoticed', () => {
    expect(() => new CborWriter(4).bytes(new Uint8Array(5)).finish()).toThrow();
    expect(() => new CborWriter(1).uint(5).null().finish()).toThrow(/capacity/);
  });

  test('knows the size of every head it writes', () => {
    fc.assert(fc.property(uints, (n) => new CborWriter(9).uint(n).finish().length === cborHeadSize(n)));
  });
});

describe('the CBOR reader', () => {
  test('reads back what was written', () => {
    fc.assert(
      fc.property(uints, byteStrings, texts, fc.option(uints), (number, bytes, text, optional) => {
        const reader = new CborReader(
          encode([number, bytes, text, optional], rfc8949EncodeOptions),
          'a test message',
        );
        expect(reader.array({ length: 4 })).toBe(4);
        expect(reader.uint()).toBe(number);
        expect([...reader.viewUpTo(300)]).toEqual([...bytes]);
        expect(reader.text(5000)).toBe(text);
        expect(reader.uintOrNull()).toBe(optional);
        reader.end();
      }),
    );
  });

  test.each([
    '1800',
    '1817',
    '190000',
    '1900ff',
    '1a00000000',
    '1a0000ffff',
    '1b0000000000000000',
    '1b00000000ffffffff',
  ])('refuses %s, a number not in its shortest form', (hex) =>
    expect(codeOf(() => readerOf(hex).uint())).toBe('format'),
  );

  test('refuses a number over 2^53 − 1', () => {
    expect(readerOf('1b001fffffffffffff').uint()).toBe(2 ** 53 - 1);
    expect(codeOf(() => readerOf('1b0020000000000000').uint())).toBe('format');
    expect(codeOf(() => readerOf('1bffffffffffffffff').uint())).toBe('format');
  });

  test('refuses indefinite and reserved lengths', () => {
    expect(codeOf(() => readerOf('5f4101ff').viewUpTo(9))).toBe('format');
    expect(codeOf(() => readerOf('9f01ff').array({ max: 9 }))).toBe('format');
    for (const hex of ['1c', '1d', '1e', '1f']) expect(codeOf(() => readerOf(hex).uint())).toBe('format');
  });

  test('refuses lengths not in their shortest form', () => {
    expect(codeOf(() => readerOf('580101').bytes(1))).toBe('format');
    expect(codeOf(() => readerOf('980101').array({ length: 1 }))).toBe('format');
    expect(codeOf(() => readerOf('780161').text(1))).toBe('format');
  });

  test('refuses another type than the schema has', () => {
    const [uint, bytes, text, array, negative] = ['01', '4101', '6161', '8101', '20'];
    for (const hex of [bytes, text, array, negative, 'f6', 'c101', 'a0', 'f90000']) {
      expect(codeOf(() => readerOf(hex ?? '').uint())).toBe('format');
    }
    expect(codeOf(() => readerOf(uint ?? '').bytes(1))).toBe('format');
    expect(codeOf(() => readerOf(bytes ?? '').text(1))).toBe('format');
    expect(codeOf(() => readerOf(text ?? '').array({ length: 1 }))).toBe('format');
  });

  test('refuses arrays and strings of another length, and what ends too early', () => {
    expect(codeOf(() => readerOf('820101').array({ length: 3 }))).toBe('format');
    expect(codeOf(() => readerOf('820101').array({ max: 1 }))).toBe('format');
    expect(codeOf(() => readerOf('420101').bytes(3))).toBe('format');
    expect(codeOf(() => readerOf('420101').viewUpTo(1))).toBe('size');
    expect(codeOf(() => readerOf('626161').text(1))).toBe('format');
    for (const hex of ['', '18', '1901', '1a010000'])
      expect(codeOf(() => readerOf(hex).uint())).toBe('format');
    expect(codeOf(() => readerOf('4201').bytes(2))).toBe('format');
    expect(codeOf(() => readerOf('5b001fffffffffffff').viewUpTo(2 ** 53))).toBe('format');
  });

  test('refuses text that is not UTF-8 and keeps a byte order mark', () => {
    expect(codeOf(() => readerOf('62c328').text(9))).toBe('format');
    expect(readerOf('63efbbbf').text(9)).toBe('\ufeff');
  });

  test('refuses trailing bytes, and padding that is not zero', () => {
    const trailing = readerOf('0100');
    trailing.uint();
    expect(codeOf(() => trailing.end())).toBe('format');
    trailing.zerosToEnd();
    const padded = readerOf('01000001');
    padded.uint();
    expect(codeOf(() => padded.zerosToEnd())).toBe('format');
  });

  test('hands out copies', () => {
    const source = bytesOf('4101');
    const copy = new CborReader(source, 'a test message').bytes(1);
    source[1] = 9;
    expect([...copy]).toEqual([1]);
  });
});
