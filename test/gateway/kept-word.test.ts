import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { decodeKeptWord, encodeKeptWord } from '../../gateway/kept-word.js';

const bytes = (length: number) => fc.uint8Array({ minLength: length, maxLength: length });

describe('what a gateway keeps of the authority’s word', () => {
  it('comes back as it was, for any number of statements, with a revocation and without', () => {
    const words = fc.record({
      revocation: fc.option(bytes(93), { nil: undefined }),
      statements: fc.array(bytes(105), { maxLength: 300 }),
    });
    fc.assert(fc.property(words, (word) => void expect(decodeKeptWord(encodeKeptWord(word))).toEqual(word)));
  });

  it('is refused at any other length', () => {
    for (let length = 0; length < 400; length += 1) {
      if ([0, 93].includes(length % 105)) continue;
      expect(() => decodeKeptWord(new Uint8Array(length))).toThrow();
    }
  });
});
