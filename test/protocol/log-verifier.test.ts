import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { encodeEntry, NO_PREVIOUS_LEAF } from '../../protocol/tlog/entry.js';
import {
  confirmLog,
  decodeVerifiedLog,
  encodeVerifiedLog,
  extendLog,
  newLog,
  sizeOf,
  type VerifiedLog,
} from '../../protocol/tlog/log-verifier.js';
import { leafHash } from '../../protocol/tlog/merkle.js';
import { codeOf, withFlippedBit } from './errors-of.js';
import { ReferenceTree } from './reference-tree.js';
import { ledgerVectors } from './vectors-v1.js';

function chainOf(count: number, salt = 0): Uint8Array[] {
  const entries: Uint8Array[] = [];
  let previousLeaf = NO_PREVIOUS_LEAF;
  for (let i = 0; i < count; i++) {
    const entry = encodeEntry({
      type: 1,
      appendedAtMs: asUnixMs(1_728_000_000_000 + i),
      source: new Uint8Array(16).fill(salt),
      sourceSeq: i,
      sourceTimeMs: asUnixMs(1_728_000_000_000),
      payloadLength: 711,
      payloadSha256: new Uint8Array(32).fill(i),
      previousLeaf,
    });
    entries.push(entry);
    previousLeaf = leafHash(entry);
  }
  return entries;
}

const entries = chainOf(40);
const tree = new ReferenceTree(entries);
const checkpointAt = (size: number, root = tree.root(size)): Checkpoint => ({
  origin: 'a log',
  size: asTreeSize(size),
  root,
});
/** What a follower does when all of the new entries are read at once. */
function follow(previous: VerifiedLog, list: readonly Uint8Array[], checkpoint: Checkpoint) {
  const extended = extendLog(previous, list);
  return { log: confirmLog(extended.log, checkpoint), entries: extended.entries };
}

const logAt = (size: number): VerifiedLog => follow(newLog(), entries.slice(0, size), checkpointAt(size)).log;

describe('a follower of a log', () => {
  test('verifies the entries of protocol-v1.json', () => {
    const raw = ledgerVectors.entries.map(({ bytes }) => bytes);
    const checkpoint = { origin: 'a log', size: asTreeSize(2), root: ledgerVectors.root };
    const { log, entries: verified } = follow(newLog(), raw, checkpoint);
    expect(sizeOf(log)).toBe(2);
    expect(verified.map(({ index, type }) => [index, type])).toEqual([
      [0, 1],
      [1, 1],
    ]);
    expect(Buffer.from(log.lastLeaf)).toEqual(Buffer.from(ledgerVectors.entries[1]?.leaf ?? []));
  });

  test('comes to the same state whatever the steps, also from its stored state', () => {
    fc.assert(
      fc.property(fc.uniqueArray(fc.nat(40), { maxLength: 6 }), (stops) => {
        let log = newLog();
        for (const stop of [...stops.sort((a, b) => a - b), 40]) {
          const from = sizeOf(log);
          const result = follow(log, entries.slice(from, stop), checkpointAt(stop));
          expect(result.entries.map(({ index }) => index)).toEqual(
            entries.slice(from, stop).map((_, i) => from + i),
          );
          log = decodeVerifiedLog(encodeVerifiedLog(result.log));
        }
        expect(encodeVerifiedLog(log)).toEqual(encodeVerifiedLog(logAt(40)));
      }),
    );
  });

  test('may read page by page before the checkpoint confirms', () => {
    const first = extendLog(newLog(), entries.slice(0, 15));
    const second = extendLog(first.log, entries.slice(15));
    expect(encodeVerifiedLog(confirmLog(second.log, checkpointAt(40)))).toEqual(encodeVerifiedLog(logAt(40)));
  });

  test('is not changed by what it refuses, nor by what is built on it', () => {
    const previous = logAt(10);
    const before = encodeVerifiedLog(previous);
    extendLog(previous, entries.slice(10));
    expect(codeOf(() => extendLog(previous, entries.slice(11)))).toBe('chain');
    expect(encodeVerifiedLog(previous)).toEqual(before);
  });

  test('refuses entries left out, repeated, swapped or of another log, and names the first', () => {
    const previous = logAt(10);
    const at = (...indexes: number[]) => indexes.map((index) => entries[index] ?? new Uint8Array());
    for (const [list, index] of [
      [at(11), 10],
      [at(10, 12), 11],
      [at(10, 10), 11],
      [at(9), 10],
      [at(11, 10), 10],
      [chainOf(12, 1).slice(10), 10],
    ] as const) {
      expect(codeOf(() => extendLog(previous, list))).toBe('chain');
      expect(() => extendLog(previous, list)).toThrow(`entry ${index} `);
    }
  });

  test('refuses any entry in which a bit is turned over', () => {
    const previous = logAt(10);
    const [entry = new Uint8Array()] = entries.slice(10);
    for (let bit = 0; bit < entry.length * 8; bit++) {
      const mangled = [withFlippedBit(entry, bit)];
      expect(codeOf(() => follow(previous, mangled, checkpointAt(11)))).toMatch(
        /^(format|chain|consistency)$/,
      );
    }
    expect(() => extendLog(previous, [entry.subarray(1)])).toThrow('entry 10 ');
  });

  test('refuses a log that shrank, has another past, or another root', () => {
    const previous = logAt(10);
    const step = (list: readonly Uint8Array[], checkpoint: Checkpoint) =>
      codeOf(() => follow(previous, list, checkpoint));
    expect(step([], checkpointAt(10))).toBeUndefined();
    expect(step([], checkpointAt(9))).toBe('consistency');
    expect(step([], checkpointAt(11))).toBe('consistency');
    expect(step(entries.slice(10, 11), checkpointAt(12))).toBe('consistency');
    expect(step([], checkpointAt(10, withFlippedBit(tree.root(10), 3)))).toBe('consistency');
    const fork = new ReferenceTree(chainOf(40, 1));
    expect(step(entries.slice(10, 20), checkpointAt(20, fork.root(20)))).toBe('consistency');
  });

  test('refuses a stored state that is not one', () => {
    const bytes = encodeVerifiedLog(logAt(11));
    for (const length of [0, 31, 32, 39, bytes.length - 1]) {
      expect(codeOf(() => decodeVerifiedLog(bytes.subarray(0, length)))).toBe('format');
    }
    expect(codeOf(() => decodeVerifiedLog(Buffer.concat([bytes, Buffer.alloc(1)])))).toBe('format');
  });
});
