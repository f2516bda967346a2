import fc from 'fast-check';
import { join } from 'node:path';
import { appendFile, readFile } from 'node:fs/promises';
import { describe, expect, test } from 'vitest';
import { NODE_DISK, type Piece } from '../../ledger/store/disk.js';
import { openJournal } from '../../ledger/store/journal.js';
import { FRAME_HEAD, joinTurns, scanFrames, type Frame } from '../../ledger/store/journal-frames.js';
import { temporaryFolder } from './deployment.js';
import { encodeFrames } from './journal-file.js';

const bytes = (minLength: number, maxLength: number) => fc.uint8Array({ minLength, maxLength });
const row = fc.record({ key: bytes(1, 40), value: bytes(0, 3000) });
const rows = fc.array(row, { maxLength: 5 });

const plain = ({ commit, settled, rows: some }: Frame) => ({
  commit,
  settled,
  rows: some.map(({ key, value }) => ({ key: new Uint8Array(key), value: new Uint8Array(value) })),
});

const framesFrom = (first: number, bodies: readonly Frame['rows'][]): Frame[] =>
  bodies.map((some, i) => ({ commit: first + i, settled: 0, rows: some }));

describe('the frames of a journal', () => {
  test('are read back up to wherever the file ends', () => {
    fc.assert(
      fc.property(fc.array(rows, { minLength: 1, maxLength: 5 }), fc.nat(), (bodies, cut) => {
        const frames = framesFrom(7, bodies);
        const encoded = encodeFrames(frames);
        const file = Buffer.concat(encoded);
        expect(scanFrames(file).frames.map(plain)).toEqual(frames.map(plain));
        const length = cut % file.length;
        let end = 0;
        const whole = encoded.filter((one) => (end += one.length) <= length).length;
        expect(scanFrames(file.subarray(0, length)).frames).toHaveLength(whole);
      }),
    );
  });

  test('end before the one with a changed bit, whichever bit it is', () => {
    const frames = framesFrom(
      1,
      [1, 2, 3].map((n) => [{ key: Uint8Array.of(n), value: Uint8Array.of(n, n) }]),
    );
    const encoded = encodeFrames(frames);
    const file = Buffer.concat(encoded);
    const length = encoded[0]?.length ?? 0;
    for (let bit = 0; bit < file.length * 8; bit += bit % (length * 8) < 500 ? 1 : 97) {
      const changed = Buffer.from(file);
      changed.writeUInt8((changed[bit >> 3] ?? 0) ^ (1 << (bit & 7)), bit >> 3);
      expect(scanFrames(changed).frames).toHaveLength(Math.floor((bit >> 3) / length));
    }
  });

  test('end where those of an earlier turn begin, which are not torn', () => {
    const newer = Buffer.concat(encodeFrames(framesFrom(50, [[], []])));
    const older = Buffer.concat(encodeFrames(framesFrom(10, [[], []])));
    expect(scanFrames(Buffer.concat([newer, older]))).toMatchObject({ end: newer.length, torn: false });
    expect(scanFrames(Buffer.concat([newer, older.subarray(5)]))).toMatchObject({ torn: false });
    const rest = [{ key: Uint8Array.of(1), value: newer }];
    const [, , next = newer] = encodeFrames(framesFrom(50, [[], [], rest]));
    expect(scanFrames(Buffer.concat([newer, next.subarray(0, FRAME_HEAD + 9)])).torn).toBe(true);
  });

  test('are not what somebody who foresaw their numbers had written there earlier', () => {
    const newer = encodeFrames(framesFrom(50, [[{ key: Uint8Array.of(1), value: Uint8Array.of(9) }]]));
    const [, foreseen = Buffer.of()] = encodeFrames(framesFrom(50, [[], []]));
    expect(scanFrames(Buffer.concat([...newer, foreseen])).frames).toHaveLength(1);
  });

  test('of two files are joined when they follow one another', () => {
    const scanned = (first: number, count: number) =>
      scanFrames(
        Buffer.concat(
          encodeFrames(
            framesFrom(
              first,
              Array.from({ length: count }, () => []),
            ),
          ),
        ),
      );
    const commits = (frames: readonly Frame[]) => frames.map(({ commit }) => commit);
    expect(commits(joinTurns([scanned(4, 2), scanned(1, 3)]))).toEqual([1, 2, 3, 4, 5]);
    expect(commits(joinTurns([scanned(1, 3), scanned(9, 1)]))).toEqual([9]);
    expect(commits(joinTurns([scanned(1, 2), scanFrames(Buffer.alloc(99))]))).toEqual([1, 2]);
  });
});

describe('a journal on disk', () => {
  test('gives back what was appended, small and large, and begins anew when cleared', async () => {
    const dir = await temporaryFolder();
    const { journal } = openJournal(dir);
    const sizes = [1, 100_000, 5, 300_000, 2];
    for (const [i, size] of sizes.entries()) {
      const value = new Uint8Array(size).fill(i);
      await journal.append({ commit: i + 1, settled: i, rows: [{ key: Uint8Array.of(i), value }] });
    }
    journal.close();
    const { journal: again, found: againFound } = openJournal(dir);
    expect(againFound.torn).toBeUndefined();
    expect(againFound.frames.map((frame) => frame.rows[0]?.value.length)).toEqual(sizes);
    expect(againFound.frames.at(-1)?.settled).toBe(4);
    again.clear();
    await again.append({ commit: 6, settled: 5, rows: [] });
    again.close();
    const { journal: last, found: lastFound } = openJournal(dir);
    expect(lastFound.frames.map(({ commit }) => commit)).toEqual([6]);
    last.close();
  });

  test('lets the loop turn while somebody appends without a pause', async () => {
    const quick = { ...NODE_DISK, write: (_: number, { bytes, offset }: Piece) => bytes.length - offset };
    const { journal } = openJournal(await temporaryFolder(), { disk: quick });
    let turns = 0;
    const count = (): void => {
      turns += 1;
      next = setImmediate(count);
    };
    let next = setImmediate(count);
    for (let commit = 1; commit <= 200; commit++) await journal.append({ commit, settled: 0, rows: [] });
    clearImmediate(next);
    journal.close();
    expect(turns).toBeGreaterThan(3);
  });

  test('writes over a file once it has turned to it', async () => {
    const dir = await temporaryFolder();
    const { journal } = openJournal(dir, { turnBytes: 64 * 1024 * 1024 });
    const value = new Uint8Array(12 * 1024 * 1024);
    let turns = 0;
    for (let commit = 1; commit <= 14; commit++) {
      if (journal.isFull) {
        expect(journal.isBlocked(0)).toBe(turns > 0);
        journal.turn();
        turns += 1;
      }
      await journal.append({ commit, settled: 0, rows: [{ key: Uint8Array.of(commit), value }] });
    }
    journal.close();
    expect(turns).toBe(2);
    expect((await readFile(join(dir, 'journal-0'))).length).toBeGreaterThan(60 * 1024 * 1024);
    const { journal: again, found: againFound } = openJournal(dir);
    expect(againFound.frames.map(({ commit }) => commit)).toEqual([7, 8, 9, 10, 11, 12, 13, 14]);
    again.close();
  });

  test('says when its newest frame was cut short', async () => {
    const dir = await temporaryFolder();
    const { journal } = openJournal(dir);
    journal.close();
    const frames = encodeFrames(framesFrom(1, [[], [{ key: Uint8Array.of(1), value: new Uint8Array(50) }]]));
    await appendFile(join(dir, 'journal-1'), Buffer.concat(frames).subarray(0, -1));
    const { journal: again, found: againFound } = openJournal(dir);
    expect(againFound).toMatchObject({ torn: 'journal-1', frames: [{ commit: 1 }] });
    again.close();
  });
});
