import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { decimal, fromBase64, utf8Text } from '../../protocol/tlog/text-forms.js';

const bytesOf = (hex: string) => new Uint8Array(Buffer.from(hex, 'hex'));

describe('text', () => {
  test('of any well-formed characters comes back from its UTF-8', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary' }), (text) => {
        expect(utf8Text(new TextEncoder().encode(text))).toBe(text);
      }),
    );
  });

  test('of no bytes is empty', () => {
    expect(utf8Text(new Uint8Array())).toBe('');
  });

  test('keeps a byte order mark, wherever it stands', () => {
    expect(utf8Text(bytesOf('efbbbf61efbbbf'))).toBe('\ufeffa\ufeff');
  });

  test.each([
    ['a byte that begins nothing', '6180'],
    ['a character that is cut off', '61e282'],
    ['an overlong form', 'c0af'],
    ['a surrogate', 'eda080'],
    ['a character past U+10FFFF', 'f4908080'],
    ['a byte that never stands in UTF-8', 'ff'],
  ])('is not read from %s, and what comes after is', (_, hex) => {
    expect(utf8Text(bytesOf(hex))).toBeUndefined();
    expect(utf8Text(bytesOf('61'))).toBe('a');
  });
});

describe('base64', () => {
  test('of any bytes comes back, in memory of its own', () => {
    fc.assert(
      fc.property(fc.uint8Array({ minLength: 1, maxLength: 70 }), (bytes) => {
        const read = fromBase64(Buffer.from(bytes).toString('base64'));
        expect(read).toEqual(bytes);
        expect(read?.buffer.byteLength).toBe(bytes.length);
      }),
    );
  });

  test.each([
    ['none', ''],
    ['no padding', 'YQ'],
    ['too little padding', 'YQ='],
    ['too much padding', 'YWJj='],
    ['bits that are left over', 'YR=='],
    ['the alphabet of URLs', '-_-_'],
    ['white space', 'YWJj\n'],
    ['another character', 'YW*j'],
    ['more after the padding', 'YQ==YQ=='],
  ])('with %s is refused', (_, text) => {
    expect(fromBase64(text)).toBeUndefined();
  });
});

describe('a decimal', () => {
  test('of any whole number below 2^53 is that number', () => {
    fc.assert(
      fc.property(fc.maxSafeNat(), (value) => {
        expect(decimal(String(value))).toBe(value);
      }),
    );
    expect(decimal('0')).toBe(0);
    expect(decimal('9007199254740991')).toBe(2 ** 53 - 1);
  });

  test.each(['9007199254740992', '9999999999999999', '10000000000000000'])(
    'of 2^53 or more is refused: %s',
    (text) => {
      expect(decimal(text)).toBeUndefined();
    },
  );

  test.each(['', '00', '01', '-0', '-1', '+1', '1.0', '1e3', '0x1', ' 1', '1 ', '1\n', '١'])(
    'in another form is refused: %j',
    (text) => {
      expect(decimal(text)).toBeUndefined();
    },
  );
});
