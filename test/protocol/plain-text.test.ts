import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { isPlain, plain, plainJson } from '../../protocol/plain-text.js';

const text = fc.string({ unit: 'binary' });

describe('plain text', () => {
  test.each([
    '\n',
    '\r',
    '\t',
    '\u001b[2J',
    '\u007f',
    '\u009b8m',
    '\u00ad',
    '\u200b',
    '\u202e',
    '\u2066',
    '\u2028',
    '\u2029',
    '\ufeff',
    '\ud800',
    '\u{e0041}',
  ])('holds no %j', (found) => {
    expect(isPlain(`a${found}`)).toBe(false);
    expect(plain(`a${found}`)).toMatch(/^a\ufffd/);
  });

  test.each(['Dr. Wu', 'Žofie Ångström-Ødegård', '測 東京 عمر', 'e\u0301', 'ward 4 🏥', 'علی\u200cرضا', ''])(
    'is %j as it is',
    (words) => {
      expect(isPlain(words)).toBe(true);
      expect(plain(words)).toBe(words);
    },
  );

  test('comes of any text, as many characters long', () => {
    fc.assert(
      fc.property(text, (words) => {
        expect(isPlain(plain(words))).toBe(true);
        expect([...plain(words)]).toHaveLength([...words].length);
        expect(isPlain(words)).toBe(plain(words) === words);
      }),
    );
  });

  test('in JSON means the same', () => {
    fc.assert(
      fc.property(fc.array(text), (words) => {
        const json = plainJson(JSON.stringify(words, undefined, 2));
        expect(JSON.parse(json)).toEqual(words);
        expect(json.split('\n').every(isPlain)).toBe(true);
      }),
    );
  });
});
