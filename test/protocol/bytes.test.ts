import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { ByteReader, ByteWriter, concat, domain, equalBytes, fromHex, toHex } from '../../protocol/bytes.js';
import { codeOf } from './errors-of.js';

const bytes = () => fc.uint8Array({ maxLength: 64 });

describe('bytes', () => {
  test('are joined in order', () => {
    fc.assert(
      fc.property(fc.array(bytes()), (parts) => {
        expect(Buffer.from(concat(...parts)).equals(Buffer.concat(parts))).toBe(true);
      }),
    );
  });

  test('are the same as hex and back', () => {
    fc.assert(
      fc.property(bytes(), (given) => {
        expect(fromHex(toHex(given))).toEqual(given);
      }),
    );
    expect(toHex(Uint8Array.of(0, 0xab, 0xff).subarray(1))).toBe('abff');
  });

  test.each(['0', 'zz', '0x00', ' 00', '00\n'])('are not read from %j', (text) => {
    expect(codeOf(() => fromHex(text))).toBe('format');
  });

  test('are equal only in length and content', () => {
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 2))).toBe(true);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1, 3))).toBe(false);
    expect(equalBytes(Uint8Array.of(1, 2), Uint8Array.of(1))).toBe(false);
  });

  test('of a domain end in one zero', () => {
    expect(Buffer.from(domain('firebreak/x/v1')).toString('latin1')).toBe('firebreak/x/v1\0');
  });
});

describe('the byte writer and reader', () => {
  const fields = fc.record({
    u8: fc.integer({ min: 0, max: 0xff }),
    i8: fc.integer({ min: -128, max: 127 }),
    u16: fc.integer({ min: 0, max: 0xffff }),
    u32: fc.integer({ min: 0, max: 0xffff_ffff }),
    u48: fc.integer({ min: 0, max: 2 ** 48 - 1 }),
    u64: fc.maxSafeNat(),
  });

  test('agree on every field', () => {
    fc.assert(
      fc.property(fields, bytes(), (given, tail) => {
        const { u8, i8, u16, u32, u48, u64 } = given;
        const written = new ByteWriter(22 + tail.length)
          .u8(u8)
          .i8(i8)
          .u16(u16)
          .u32(u32)
          .u48(u48)
          .u64(u64)
          .bytes(tail)
          .finish();
        const reader = new ByteReader(written, 'test');
        const head = { u8: reader.u8(), i8: reader.i8(), u16: reader.u16() };
        expect({ ...head, u32: reader.u32(), u48: reader.u48(), u64: reader.u64() }).toEqual(given);
        expect(reader.remaining).toBe(tail.length);
        expect(reader.take(tail.length)).toEqual(tail);
        reader.end();
      }),
    );
  });

  test('put the highest byte first', () => {
    expect(toHex(new ByteWriter(14).u48(0x0102_0304_0506).u64(0x0102_0304_0506).finish())).toBe(
      '0102030405060000010203040506',
    );
  });

  test('refuse numbers that do not fit their field', () => {
    expect(() => new ByteWriter(1).u8(256)).toThrow(RangeError);
    expect(() => new ByteWriter(1).u8(-1)).toThrow(RangeError);
    expect(() => new ByteWriter(1).i8(128)).toThrow(RangeError);
    expect(() => new ByteWriter(2).u16(1.5)).toThrow(RangeError);
    expect(() => new ByteWriter(4).u32(2 ** 32)).toThrow(RangeError);
    expect(() => new ByteWriter(6).u48(2 ** 48)).toThrow(RangeError);
    expect(() => new ByteWriter(8).u64(-1)).toThrow(RangeError);
  });

  test('refuse to leave bytes unwritten', () => {
    expect(() => new ByteWriter(2).u8(1).finish()).toThrow(RangeError);
  });

  test('refuse to read past the end, or to leave bytes unread', () => {
    const reader = new ByteReader(Uint8Array.of(1, 2, 3), 'test');
    expect(codeOf(() => reader.u32())).toBe('format');
    expect(codeOf(() => reader.take(4))).toBe('format');
    expect(codeOf(() => reader.end())).toBe('format');
    expect(reader.view(3)).toEqual(Uint8Array.of(1, 2, 3));
    reader.end();
  });

  test('refuse a number above 2^53 − 1', () => {
    expect(codeOf(() => new ByteReader(fromHex('0020000000000000'), 'test').u64())).toBe('format');
    expect(new ByteReader(fromHex('001fffffffffffff'), 'test').u64()).toBe(Number.MAX_SAFE_INTEGER);
  });

  test('hand out copies with take', () => {
    const given = Uint8Array.of(1, 2);
    const taken = new ByteReader(given, 'test').take(2);
    given[0] = 9;
    expect(taken[0]).toBe(1);
  });
});
