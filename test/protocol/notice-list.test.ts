import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { concat } from '../../protocol/bytes.js';
import {
  joinNotices,
  MAX_NOTICES,
  MAX_NOTICES_BYTES,
  readNotices,
  splitNotices,
  withinBounds,
} from '../../protocol/tag/notice-list.js';
import { readNoticeHead, signNotice } from '../../protocol/tag/notice.js';
import { codeOf } from './errors-of.js';
import { issuer, secret } from './tag-vectors.js';

const signed = [1, 3, 8].map((count) =>
  signNotice(
    issuer,
    {
      ...{ day: 20_000, number: count, code: 1 },
      tokens: Array.from({ length: count }, (_, k) => secret(`${k}`, 8)),
    },
    (length) => secret('padding', length),
  ),
);

describe('a list of notices', () => {
  test('splits into what it was joined of; of one it is that notice', () => {
    expect(splitNotices(joinNotices(signed))).toEqual(signed);
    expect(joinNotices(signed.slice(0, 1))).toEqual(signed[0]);
    expect(splitNotices(joinNotices([]))).toEqual([]);
    expect(readNoticeHead(signed[1] ?? secret(''))).toEqual({
      day: 20_000,
      number: 3,
      totalBytes: 16 + 32 + 64,
    });
  });

  test('read in pieces of any length gives each notice once it is whole', () => {
    const list = joinNotices(signed);
    fc.assert(
      fc.property(fc.integer({ min: 1, max: 200 }), (length) => {
        const read: Uint8Array[] = [];
        let rest: Uint8Array = new Uint8Array(0);
        for (let at = 0; at < list.length; at += length) {
          const part = readNotices(concat(rest, list.subarray(at, at + length)));
          read.push(...part.notices);
          rest = part.rest;
        }
        expect(read).toEqual(signed);
        expect(rest).toHaveLength(0);
      }),
    );
  });

  test('that ends within a notice is refused', () => {
    const list = joinNotices(signed);
    for (const end of [1, 15, 16, 87, list.length - 1])
      expect(codeOf(() => splitNotices(list.subarray(0, end)))).toBe('format');
  });

  test('is bounded in number and in bytes', () => {
    const [small = secret('')] = signed;
    const most = Array.from({ length: MAX_NOTICES }, () => small);
    expect(splitNotices(joinNotices(most))).toHaveLength(MAX_NOTICES);
    expect(codeOf(() => joinNotices([...most, small]))).toBe('size');
    expect(codeOf(() => splitNotices(concat(...most, small)))).toBe('size');
    const half = MAX_NOTICES_BYTES / 2;
    expect(withinBounds([half, half, 1], (bytes) => bytes)).toEqual([half, half]);
    expect(withinBounds([half + 1, half, 1], (bytes) => bytes)).toEqual([half + 1]);
    expect(withinBounds([...most, small], (bytes) => bytes.length)).toHaveLength(MAX_NOTICES);
  });
});
