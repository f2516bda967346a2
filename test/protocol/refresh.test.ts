import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import {
  decodeRefreshRequest,
  decodeRefreshSlice,
  encodeRefreshRequest,
  encodeRefreshSlice,
} from '../../protocol/session/refresh.js';
import { u32 } from './arbitraries.js';
import { codeOf } from './errors-of.js';

/** A tag's side: asks from where it stands until it has the whole. */
function fetchAll(answer: (request: Uint8Array) => Uint8Array): Uint8Array {
  let got = new Uint8Array(0);
  for (;;) {
    const slice = decodeRefreshSlice(answer(encodeRefreshRequest({ what: 'pack', offset: got.length })));
    got = new Uint8Array(concat(got, slice.bytes));
    if (got.length >= slice.totalBytes) return got;
  }
}

describe('a refresh', () => {
  test('hands out the whole in slices of at most 508 bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 3000 }), (whole) => {
        const fetched = fetchAll((request) => {
          const slice = encodeRefreshSlice(whole, decodeRefreshRequest(request).offset);
          expect(slice.length).toBeLessThanOrEqual(512);
          return slice;
        });
        expect(fetched).toEqual(whole);
      }),
    );
  });

  test('says with a total of zero that there is nothing', () => {
    expect(decodeRefreshSlice(encodeRefreshSlice(new Uint8Array(0), 0))).toEqual({
      totalBytes: 0,
      bytes: new Uint8Array(0),
    });
  });

  test('answers without bytes past the end', () => {
    const slice = decodeRefreshSlice(encodeRefreshSlice(new Uint8Array(600), 4000));
    expect(slice).toEqual({ totalBytes: 600, bytes: new Uint8Array(0) });
  });

  test('is asked for in the same words after encoding and decoding', () => {
    fc.assert(
      fc.property(fc.constantFrom('pack' as const, 'notices' as const), u32(), (what, offset) => {
        expect(decodeRefreshRequest(encodeRefreshRequest({ what, offset }))).toEqual({ what, offset });
      }),
    );
    expect(encodeRefreshRequest({ what: 'notices', offset: 258 })).toEqual(Uint8Array.of(2, 0, 0, 1, 2));
  });

  test.each([[0, 0, 0, 0, 0], [3, 0, 0, 0, 0], [1, 0, 0, 0], [1, 0, 0, 0, 0, 0], []])(
    'does not answer %j',
    (...request) => {
      expect(codeOf(() => decodeRefreshRequest(Uint8Array.from(request)))).toBe('format');
    },
  );

  test('is not believed when a slice is longer than its total, than 508, or its total than anything', () => {
    const slice = (total: number, length: number) => {
      const bytes = new Uint8Array(4 + length);
      new DataView(bytes.buffer).setUint32(0, total);
      return bytes;
    };
    expect(codeOf(() => decodeRefreshSlice(slice(508, 508)))).toBeUndefined();
    expect(codeOf(() => decodeRefreshSlice(slice(507, 508)))).toBe('format');
    expect(codeOf(() => decodeRefreshSlice(slice(9999, 509)))).toBe('format');
    expect(codeOf(() => decodeRefreshSlice(slice(262_224, 0)))).toBeUndefined();
    expect(codeOf(() => decodeRefreshSlice(slice(262_225, 0)))).toBe('format');
    expect(codeOf(() => decodeRefreshSlice(new Uint8Array(3)))).toBe('format');
  });
});
