import { describe, expect, test } from 'vitest';
import {
  CompactRange,
  compactRangeOf,
  decodeCompactRange,
  encodeCompactRange,
} from '../../protocol/tlog/compact-range.js';
import { leafHash, type HashCoordinate } from '../../protocol/tlog/merkle.js';
import { codeOf } from './errors-of.js';
import { numberedEntries, ReferenceTree } from './reference-tree.js';

const entries = numberedEntries(300);
const tree = new ReferenceTree(entries);

describe('a compact range', () => {
  test('goes on from its bytes at every size as if nothing had happened', () => {
    let range = new CompactRange();
    for (const [index, entry] of entries.entries()) {
      const bytes = encodeCompactRange(range);
      range = decodeCompactRange(bytes);
      expect(encodeCompactRange(range)).toEqual(bytes);
      expect(Buffer.from(range.root())).toEqual(Buffer.from(tree.root(index)));
      range.append(leafHash(entry));
      expect(range.size).toBe(index + 1);
    }
  });

  test('tells of every perfect subtree it completes, once', () => {
    const range = new CompactRange();
    const seen: [HashCoordinate, string][] = [];
    for (const [leaf, entry] of entries.slice(0, 8).entries()) {
      range.append(leafHash(entry), (level, hash) =>
        seen.push([{ level, index: Math.floor(leaf / 2 ** level) }, Buffer.from(hash).toString('hex')]),
      );
    }
    expect(seen).toHaveLength(15);
    for (const [{ level, index }, hash] of seen) {
      const expected = tree.root((index + 1) * 2 ** level, index * 2 ** level);
      expect(hash).toBe(Buffer.from(expected).toString('hex'));
    }
  });

  test('has copies that grow apart', () => {
    const range = new CompactRange();
    range.append(leafHash(Buffer.from('a')));
    const copy = range.copy();
    const before = range.root();
    copy.append(leafHash(Buffer.from('b')));
    expect(range.root()).toEqual(before);
    expect(copy.root()).not.toEqual(before);
  });

  test('is refused with a hash too many, too few, or too short', () => {
    const hash = new Uint8Array(32);
    expect(codeOf(() => compactRangeOf(3, [hash]))).toBe('format');
    expect(codeOf(() => compactRangeOf(3, [hash, hash, hash]))).toBe('format');
    expect(codeOf(() => compactRangeOf(1, [hash.subarray(1)]))).toBe('format');
    const bytes = encodeCompactRange(compactRangeOf(3, [hash, hash]));
    expect(codeOf(() => decodeCompactRange(bytes.subarray(0, -1)))).toBe('format');
    expect(codeOf(() => decodeCompactRange(Buffer.concat([bytes, hash])))).toBe('format');
    expect(codeOf(() => decodeCompactRange(new Uint8Array(8).fill(255)))).toBe('format');
  });
});
