/**
 * Checks the journal (journal.ts) and gives the rows that opening the ledger would replay from it. Behind its
 * newest frame a journal file holds what is left of an earlier turn, which is no part of the ledger any more
 * and is not checked.
 */
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { isZero } from '../../protocol/bytes.js';
import { BLOCK } from '../store/block-buffer.js';
import { JOURNAL_FILES } from '../store/folder.js';
import {
  CHECKSUM_AT,
  follows,
  FRAME_HEAD,
  joinTurns,
  LENGTH_AT,
  readFrame,
  scanFrames,
  unsettledFrames,
  type FoundFrame,
  type Frame,
  type ScannedFile,
} from '../store/journal-frames.js';
import { isPayloadKey } from '../store/store-keys.js';
import { pieceOf, placeRowOf, type PayloadPiece } from '../store/store-payloads.js';
import { CRC_32, findFlippedByte } from './crc32c.js';
import type { Findings } from './findings.js';
import { memorySource, type RowSource } from './leveldb-rows.js';

const MAGIC = Buffer.from('FBJ2');
/** Above every sequence number of LevelDB: replayed rows replace those in the database. */
const REPLAYED = 2 ** 52;

export interface JournalFile {
  readonly name: string;
  readonly bytes: Buffer;
}

/** The journal's files; those that are not there are left out. */
export function readJournalFiles(dir: string): JournalFile[] {
  return JOURNAL_FILES.filter((name) => existsSync(join(dir, name))).map((name) => ({
    name,
    bytes: readFileSync(join(dir, name)),
  }));
}

/** The head of a frame with one bit changed, so that a frame can be read there. `file` is as it was afterwards. */
function flippedInHead(file: Buffer, at: number, last: FoundFrame | undefined): number | undefined {
  for (let bit = 0; bit < FRAME_HEAD * 8; bit++) {
    const byte = at + (bit >> 3);
    const before = file[byte] as number;
    file[byte] = before ^ (1 << (bit & 7));
    const frame = readFrame(file, at);
    file[byte] = before;
    if (frame !== undefined && follows(frame, last)) return byte;
  }
  return undefined;
}

function flippedInBody(file: Buffer, at: number): number | undefined {
  const end = at + FRAME_HEAD + file.readUInt32BE(at + LENGTH_AT);
  if (file.indexOf(MAGIC, at) !== at || end > file.length) return undefined;
  const body = file.subarray(at + FRAME_HEAD, end);
  const actual = crc32(body, crc32(file.subarray(at, at + CHECKSUM_AT)));
  const flipped = findFlippedByte(body.length, actual ^ file.readUInt32BE(at + CHECKSUM_AT), CRC_32);
  return flipped === undefined ? undefined : at + FRAME_HEAD + flipped;
}

/**
 * Whether a whole frame of a commit after `last` stands somewhere behind `at`, where a frame cannot be read:
 * at the start of a block, and no further on than there is room for the commits between. Elsewhere it is what
 * somebody sent, left from an earlier turn.
 */
function hasLaterFrame(file: Buffer, at: number, last: number | undefined): boolean {
  for (let next = at + BLOCK; next < file.length; next += BLOCK) {
    const commit = readFrame(file, next)?.commit ?? 0;
    const lost = commit - (last ?? 0) - 1;
    if (lost > 0 && (last === undefined || lost <= (next - at) / BLOCK)) return true;
  }
  return false;
}

/** The one bit that is set behind the last frame, where there are only zeros otherwise. */
function strayBit(file: Buffer, end: number): number | undefined {
  const at = file.subarray(end).findIndex((byte) => byte !== 0);
  const byte = at === -1 ? 0 : (file[end + at] as number);
  const isOneBit = byte !== 0 && (byte & (byte - 1)) === 0;
  return isOneBit && isZero(file.subarray(end + at + 1)) ? end + at : undefined;
}

interface Scanned extends ScannedFile {
  readonly file: JournalFile;
}

interface Verdict {
  readonly kind: 'damage' | 'interrupted';
  readonly what: string;
  /** Where in the file. */
  readonly offset: number;
}

/**
 * What stands behind the last good frame; `undefined` when nothing that counts. `before`: the commit that the
 * other file ends with, which a file without a good frame goes on from; what it holds of its turn before is
 * older.
 *
 * The first of these that holds, so that a write cut short, which alone is no damage, is only believed of
 * what nothing else explains:
 *
 * 1. there is no room for a frame: nothing;
 * 2. one bit is set where all else is zero: it was flipped where nothing is written yet;
 * 3. one bit changed makes a frame of it: it was flipped in a commit;
 * 4. a later commit can be read: this one was answered for, and is damaged;
 * 5. a frame was begun: its write was cut short.
 */
function verdictOnEnd(
  { file: { bytes }, frames, end, torn }: Scanned,
  before: number | undefined,
): Verdict | undefined {
  if (end + FRAME_HEAD > bytes.length) return undefined;
  const stray = strayBit(bytes, end);
  if (stray !== undefined)
    return { kind: 'damage', what: 'one bit was flipped where nothing is written yet', offset: stray };
  const last = frames.at(-1);
  const flipped = flippedInHead(bytes, end, last) ?? (torn ? flippedInBody(bytes, end) : undefined);
  if (flipped !== undefined)
    return {
      kind: 'damage',
      what: 'a commit does not match its checksum: one bit was flipped',
      offset: flipped,
    };
  if (hasLaterFrame(bytes, end, last?.commit ?? before))
    return { kind: 'damage', what: 'a commit cannot be read, and later ones can', offset: end };
  if (!torn) return undefined;
  return { kind: 'interrupted', what: 'ends in a write that was cut short', offset: end };
}

function report(file: string, { kind, what, offset }: Verdict, findings: Findings): void {
  if (kind === 'damage') findings.damage('files', what, { file, offset });
  else findings.note(kind, what, { file, offset });
}

/** Frames of both files that count, oldest first. */
export function checkJournal(files: readonly JournalFile[], findings: Findings): readonly Frame[] {
  const scanned = files.map((file) => ({ file, ...scanFrames(file.bytes) }));
  for (const one of scanned) {
    const other = scanned.find((another) => another !== one);
    const verdict = verdictOnEnd(one, other?.frames.at(-1)?.commit);
    if (verdict !== undefined) report(one.file.name, verdict, findings);
  }
  return joinTurns(scanned);
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
