import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { holdsTag, readTagRun, tagList, writeTagRun } from '../../protocol/payload/tag-runs.js';
import { codeOf } from './errors-of.js';

const LAST_TAG = 2 ** 48 - 1;
const tagSets = (max: number) =>
  fc
    .uniqueArray(fc.oneof(fc.nat(max), fc.nat(300)), { maxLength: 200 })
    .map((tags) => tags.sort((x, y) => x - y));
const anyTags = fc.oneof(tagSets(LAST_TAG), tagSets(2 ** 28), tagSets(500));

/** LEB128 with nothing but big integers. */
function plainRun(tags: readonly number[]): number[] {
  return tags.flatMap((tag, k) => {
    let rest = BigInt(tag) - BigInt(tags[k - 1] ?? 0);
    const bytes: number[] = [];
    for (; rest > 127n; rest >>= 7n) bytes.push(Number(rest & 127n) | 128);
    return [...bytes, Number(rest)];
  });
}

describe('a run of tags', () => {
  test('is what the definition gives, and comes back', () => {
    fc.assert(
      fc.property(anyTags, (tags) => {
        const into = new Uint8Array(2_000);
        const { next, bytes } = writeTagRun(tagList(tags), 0, into);
        expect(next).toBe(tags.length);
        expect([...into.subarray(0, bytes)]).toEqual(plainRun(tags));
        const read = readTagRun(into, tags.length);
        expect([[...read.tags], read.bytes]).toEqual([tags, bytes]);
      }),
    );
  });

  test('is cut where the room ends, and each piece stands for itself', () => {
    fc.assert(
      fc.property(anyTags, fc.integer({ min: 7, max: 60 }), (tags, room) => {
        const pieces: number[] = [];
        for (let from = 0; from < tags.length;) {
          const into = new Uint8Array(room);
          const { next, bytes } = writeTagRun(tagList(tags), from, into);
          pieces.push(...readTagRun(into.subarray(0, bytes), next - from).tags);
          if (next < tags.length) expect(plainRun(tags.slice(from, next + 1)).length).toBeGreaterThan(room);
          from = next;
        }
        expect(pieces).toEqual(tags);
      }),
    );
  });

  test('holds the tags in it and no other', () => {
    fc.assert(
      fc.property(anyTags, fc.nat(600), (tags, other) => {
        const bytes = Uint8Array.from(plainRun(tags));
        const read = readTagRun(bytes, tags.length).tags;
        for (const tag of [...tags, other]) expect(holdsTag(read, tag)).toBe(tags.includes(tag));
      }),
    );
  });

  test.each([
    ['out of order', [5, 4]],
    ['twice the same', [4, 4]],
    ['below 0', [-1]],
    ['over 48 bits', [LAST_TAG + 1]],
    ['not whole', [1.5]],
    ['no number', [Number.NaN]],
  ])('is not made of numbers that are %s', (_what, tags) => {
    expect(codeOf(() => tagList(tags))).toBe('format');
  });

  test.each([
    ['ends too early', [128], 1],
    ['has fewer than it says', [1], 2],
    ['has a number not in its shortest form', [129, 0], 1],
    ['names one twice', [4, 0], 2],
    ['has a number of eight bytes', [255, 255, 255, 255, 255, 255, 255, 1], 1],
    ['has a number over 48 bits', [255, 255, 255, 255, 255, 255, 127], 1],
    ['goes over 48 bits', [...plainRun([LAST_TAG]), 1], 2],
  ])('is refused when it %s', (_what, bytes, count) => {
    expect(codeOf(() => readTagRun(Uint8Array.from(bytes), count))).toBe('format');
  });

  test('of the greatest tag comes back', () => {
    expect([...readTagRun(Uint8Array.from(plainRun([0, LAST_TAG])), 2).tags]).toEqual([0, LAST_TAG]);
  });
});
