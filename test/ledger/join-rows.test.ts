import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { newDayRecord } from '../../ledger/store/day-record.js';
import type { Row } from '../../ledger/store/journal-frames.js';
import { joinRows } from '../../ledger/store/join-rows.js';
import { rowsOf } from '../../ledger/store/store-commit-rows.js';
import type { Commit } from '../../ledger/store/store.js';
import { asTreeSize, asUnixMs } from '../../protocol/brands.js';
import { sha256 } from '../../protocol/crypto/hash.js';

const DAY = 20_000;

/** Entries [firstIndex, end) as one commit: what it stores depends on these alone. */
function commitOf(firstIndex: number, end: number): Commit {
  const entries = Array.from({ length: end - firstIndex }, (_, i) => {
    const index = firstIndex + i;
    const payload = new Uint8Array((index * 7) % 40).fill(index);
    return {
      entry: new Uint8Array(1 + (index % 5)).fill(index),
      type: 1,
      payload,
      payloadSha256: sha256(payload),
      retentionDay: index % 3 === 0 ? DAY : DAY + 1,
      firstOfPayload: index % 4 > 0,
    };
  });
  const root = new Uint8Array(32).fill(end);
  const size = asTreeSize(end);
  const writerId = new Uint8Array(16).fill(9);
  return {
    firstIndex,
    entries,
    tiles: [{ level: 1, index: 0, width: 1, bytes: root }],
    batches: [{ writerId, seq: end, batchHash: root, outcomes: [], size, root }],
    gateways: [],
    days: [{ ...newDayRecord(DAY), payloads: end }],
    state: {
      ...{ size, root, checkpoint: 'none', previousLeaf: root, lastAppendedMs: asUnixMs(0) },
      counters: { batches: 0, duplicates: 0, entriesByType: new Map(), refusalsByNumber: new Map() },
    },
  };
}

/** A store's rows for commits that follow one another, by key, as the last of them left each. */
function stored(commits: readonly Commit[], join: (rows: Row[]) => Row[]): Map<string, string> {
  const ends = new Map<number, number>();
  const reserve = (day: number, length: number): number => {
    const offset = ends.get(day) ?? 0;
    ends.set(day, offset + length);
    return offset;
  };
  const rows = join(commits.flatMap((commit) => rowsOf(commit, reserve)));
  const text = (bytes: Uint8Array): string => Buffer.from(bytes).toString('hex');
  return new Map(rows.map(({ key, value }) => [text(key), text(value)]));
}

describe('rows of small commits', () => {
  test('are joined to what one commit of them all would store, but for each batch', () => {
    const sizes = fc.array(fc.integer({ min: 1, max: 127 }), { minLength: 1, maxLength: 12 });
    fc.assert(
      fc.property(fc.integer({ min: 0, max: 600 }), sizes, (firstIndex, steps) => {
        const parts: Commit[] = [];
        let at = firstIndex;
        for (const step of steps) parts.push(commitOf(at, (at += step)));
        const whole = { ...commitOf(firstIndex, at), batches: parts.flatMap(({ batches }) => batches) };
        const joined = stored(parts, joinRows);
        expect(joined).toEqual(stored([whole], (rows) => rows));
        const alone = stored(parts, (rows) => rows);
        for (const key of joined.keys()) expect(alone.has(key)).toBe(true);
      }),
    );
  });
});
