/** What fsck makes of the files of a journal: frames cut short, damaged, wiped, and left from an earlier turn. */
import { describe, expect, test } from 'vitest';
import { Findings } from '../../ledger/fsck/findings.js';
import { checkJournal, readJournalFiles } from '../../ledger/fsck/journal-check.js';
import { BLOCK } from '../../ledger/store/block-buffer.js';
import { NODE_DISK, type Piece } from '../../ledger/store/disk.js';
import { openJournal } from '../../ledger/store/journal.js';
import { writeFrame, type Frame } from '../../ledger/store/journal-frames.js';
import type { SignedLength } from '../../ledger/store/signed-length.js';
import { STATE_KEY } from '../../ledger/store/store-keys.js';
import { temporaryFolder } from './deployment.js';
import { anySigned, encodeFrames } from './journal-file.js';

describe('a journal', () => {
  const framesOf = (first: number, sizes: readonly number[], fill: Buffer = Buffer.alloc(0)) =>
    encodeFrames(
      sizes.map((size, i) => ({
        commit: first + i,
        settled: 0,
        rows: [{ key: Uint8Array.of(1), value: Buffer.concat([fill, Buffer.alloc(size, i)]) }],
      })),
    );
  const foundBehind = (...parts: Buffer[]): string[] => {
    const findings = new Findings();
    checkJournal([{ name: 'journal-0', bytes: Buffer.concat(parts) }], findings, anySigned);
    return findings.kept.map(({ what }) => what);
  };

  test('that lost a commit before others is damaged', () => {
    const [first, second, ...others] = framesOf(7, [10, 5000, 20, 30]) as [Buffer, Buffer, ...Buffer[]];
    expect(foundBehind(first, Buffer.alloc(second.length, 9), ...others)).toEqual([
      'a commit cannot be read, and later ones can',
    ]);
  });

  test('is not called damaged for the frames that somebody had sent as a payload', () => {
    const planted = framesOf(60, [10, 10, 10]);
    const older = framesOf(3, [100, 9000], Buffer.concat(planted));
    const [newest = Buffer.of()] = framesOf(50, [10]);
    expect(foundBehind(newest, ...older.map((frame) => frame.subarray(BLOCK)))).toEqual([]);
    expect(foundBehind(newest, Buffer.alloc(BLOCK, 3), ...planted)).toEqual([]);
    const short = Buffer.alloc(100);
    writeFrame(short, { commit: 52, settled: 0, rows: [] }, 0);
    expect(foundBehind(newest, Buffer.alloc(BLOCK, 3), short)).toEqual([]);
  });

  test('is not called damaged for frames at the start of a block that the log’s key did not sign, of a longer log', () => {
    const frames = framesOf(50, [10, 5000, 20]);
    const [first = Buffer.of(), second = Buffer.of(), third = Buffer.of()] = frames;
    const bytes = Buffer.concat([first, Buffer.alloc(second.length, 9), third]);
    const foundWith = (signedLength: SignedLength): string[] => {
      const findings = new Findings();
      checkJournal([{ name: 'journal-0', bytes }], findings, signedLength);
      return findings.kept.map(({ kind }) => kind);
    };
    expect(foundWith(anySigned)).toEqual(['damage']);
    expect(foundWith(() => undefined)).toEqual([]);
    expect(foundWith(() => 300)).toEqual([]); // a checkpoint that was published is of no longer log
  });

  test('is damaged by one bit in its last commit, which ends with the state; without that it was cut short', () => {
    for (const [key, what] of [
      [STATE_KEY, 'a commit does not match its checksum: one bit was flipped'],
      [Buffer.from('e'), 'ends in a write that was cut short'],
    ] as const) {
      const rows = [{ key, value: Buffer.alloc(5000, 1) }];
      const [first = Buffer.of(), last = Buffer.of()] = encodeFrames(
        [7, 8].map((commit) => ({ commit, settled: 0, rows })),
      );
      last.writeUInt8(5, 4500);
      expect(foundBehind(first, last)).toEqual([what]);
    }
  });

  const frame = (commit: number): Frame => ({
    commit,
    settled: 0,
    rows: [{ key: Buffer.from('e'), value: Buffer.alloc(5000, commit) }],
  });
  const checked = (bytes: Buffer) => {
    const findings = new Findings();
    const frames = checkJournal([{ name: 'journal-0', bytes }], findings, anySigned);
    return { commits: frames.map(({ commit }) => commit), found: findings.kept.map(({ kind }) => kind) };
  };

  test('with older commits behind its newest is in order', () => {
    const older = Buffer.concat(encodeFrames([1, 2, 3].map(frame)));
    const newer = Buffer.concat(encodeFrames([{ ...frame(4), rows: [] }]));
    newer.copy(older);
    expect(checked(older)).toEqual({ commits: [4], found: [] });
  });

  test('whose wiping was cut short anywhere is not called damaged', async () => {
    for (let pieces = 0; pieces < 5; pieces++) {
      const dir = await temporaryFolder();
      let left = Infinity;
      const writeAsync = async (fd: number, piece: Piece): Promise<number> => {
        left -= 1;
        if (left < 0) throw new Error('killed');
        return NODE_DISK.writeAsync(fd, piece);
      };
      const { journal } = openJournal(dir, { disk: { ...NODE_DISK, writeAsync } });
      const rows = [{ key: Buffer.from('e'), value: Buffer.alloc(700_000, 1) }];
      for (let commit = 1; commit <= 7; commit++) await journal.append({ commit, settled: 0, rows });
      left = pieces;
      await expect(journal.wipe()).rejects.toThrow('killed');
      journal.close();
      const findings = new Findings();
      checkJournal(readJournalFiles(dir), findings, anySigned);
      expect(findings.damageCount, `${pieces} pieces were wiped`).toBe(0);
    }
  });

  test('cut short in the first commit of its turn is not called damaged for the turn before', () => {
    const before = Buffer.concat(encodeFrames([1, 2, 3, 4].map(frame)));
    const other = Buffer.concat(encodeFrames([5, 6, 7].map(frame)));
    const [torn = Buffer.of()] = encodeFrames([frame(8)]);
    torn.copy(before, 0, 0, BLOCK);
    const findings = new Findings();
    const frames = checkJournal(
      [
        { name: 'journal-0', bytes: before },
        { name: 'journal-1', bytes: other },
      ],
      findings,
      anySigned,
    );
    expect(frames.map(({ commit }) => commit)).toEqual([5, 6, 7]);
    expect(findings.kept.map(({ kind, file }) => `${kind} ${file}`)).toEqual(['interrupted journal-0']);
  });

  test('that lost the first commit of its turn before others is damaged', () => {
    const older = Buffer.concat(encodeFrames([1, 2].map(frame)));
    const newer = Buffer.concat(encodeFrames([3, 4, 5].map(frame)));
    newer.fill(0xee, 40, 60);
    const findings = new Findings();
    checkJournal(
      [
        { name: 'journal-0', bytes: older },
        { name: 'journal-1', bytes: newer },
      ],
      findings,
      anySigned,
    );
    expect(findings.kept.map(({ kind, file }) => `${kind} ${file}`)).toEqual(['damage journal-1']);
  });

  test('cut short in a commit ends there, damaged in one before later ones it is damaged', () => {
    const frames = encodeFrames([7, 8, 9].map(frame));
    const all = Buffer.concat(frames);
    expect(checked(all.subarray(0, all.length - 4096))).toEqual({ commits: [7, 8], found: ['interrupted'] });
    const wounded = Buffer.from(all).fill(0xee, (frames[0]?.length ?? 0) + 40, (frames[0]?.length ?? 0) + 60);
    expect(checked(wounded)).toEqual({ commits: [7], found: ['damage'] });
  });
});
