/**
 * Checks the journal (journal.ts) and gives the rows that opening the ledger would replay from it. Behind its
 * newest frame a journal file holds what is left of an earlier turn, which is no part of the ledger any more
 * and is not checked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { JOURNAL_FILES } from '../store/folder.js';
import { verdictsOn, type JournalFile } from '../store/journal-end.js';
import { joinTurns, scanFrames, unsettledFrames, type Frame } from '../store/journal-frames.js';
import type { SignedLength } from '../store/signed-length.js';
import { isPayloadKey } from '../store/store-keys.js';
import { pieceOf, placeRowOf, type PayloadPiece } from '../store/store-payloads.js';
import type { Findings } from './findings.js';
import { memorySource, type RowSource } from './leveldb-rows.js';

/** Above every sequence number of LevelDB: replayed rows replace those in the database. */
const REPLAYED = 2 ** 52;

/** The journal's files; those that are not there are left out. */
export function readJournalFiles(dir: string): JournalFile[] {
  return JOURNAL_FILES.filter((name) => existsSync(join(dir, name))).map((name) => ({
    name,
    bytes: readFileSync(join(dir, name)),
  }));
}

/** Frames of both files that count, oldest first. */
export function checkJournal(
  files: readonly JournalFile[],
  findings: Findings,
  signedLength: SignedLength,
): readonly Frame[] {
  const both = files.map((file) => ({ file, scanned: scanFrames(file.bytes) }));
  for (const { file, kind, what, offset } of verdictsOn(both, signedLength)) {
    if (kind === 'damage') findings.damage('files', what, { file, offset });
    else findings.note(kind, what, { file, offset });
  }
  return joinTurns(both.map(({ scanned }) => scanned));
}

export interface Replayed {
  readonly source: RowSource;
  /** Payloads that go into the files of their days. */
  readonly pieces: readonly PayloadPiece[];
}

/**
 * The rows that the database, at commit `commit`, has yet to be given, as a source that goes before all others. Throws
 * `damaged` when commits in between are missing.
 */
export function replayedRows(frames: readonly Frame[], commit: number, dir: string): Replayed {
  const rows = unsettledFrames(frames, commit, dir).flatMap((frame) => frame.rows);
  const payloads = rows.filter(({ key }) => isPayloadKey(key));
  const places = rows.map((row) => (isPayloadKey(row.key) ? placeRowOf(row) : row));
  return {
    source: memorySource(places.map(({ key, value }, i) => ({ key, value, sequence: REPLAYED + i }))),
    pieces: payloads.map(pieceOf),
  };
}
