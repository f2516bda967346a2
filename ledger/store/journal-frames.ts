/**
 * The frames of a journal, each a commit. Pure.
 *
 *     frame   "FBJ2" | commit u48 | settled u48 | body length u32 | checksum of the frame before u32
 *             | checksum u32 | body
 *     body    key length u16 | value length u32 | key | value, for each row that the commit puts into the store; zeros
 *
 * The checksum is the CRC-32 of everything before it and of the body. A frame fills whole blocks of 4,096
 * bytes. It names the checksum of the frame before it in the file, 0 for the first: whoever sends payloads
 * cannot know that, so what is left of an earlier turn is never taken for the next frame, whatever was sent.
 */
import { crc32 } from 'node:zlib';
import { wholeBlocks } from './block-buffer.js';
import { storeDamage } from './store-damage.js';

export const MAGIC = 0x46424a32;
export const FRAME_HEAD = 28;
/** Where these fields stand in a frame. */
export const LENGTH_AT = 16;
export const PREVIOUS_CHECKSUM_AT = 20;
export const CHECKSUM_AT = 24;
const ROW_HEAD = 6;

export interface Row {
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

export interface Frame {
  readonly commit: number;
  /** The last commit that was synced in the store when this one was written. */
  readonly settled: number;
  readonly rows: readonly Row[];
}

/** Bytes of a frame with these rows, in whole blocks. */
export function frameLength(rows: readonly Row[]): number {
  let length = FRAME_HEAD;
  for (const { key, value } of rows) length += ROW_HEAD + key.length + value.length;
  return wholeBlocks(length);
}

/** Writes a frame over `target`, all of it; rows are copied. Gives its checksum, for the frame after it. */
export function writeFrame(
  target: Buffer,
  { commit, settled, rows }: Frame,
  previousChecksum: number,
): number {
  target.writeUInt32BE(MAGIC, 0);
  target.writeUIntBE(commit, 4, 6);
  target.writeUIntBE(settled, 10, 6);
  target.writeUInt32BE(target.length - FRAME_HEAD, LENGTH_AT);
  target.writeUInt32BE(previousChecksum, PREVIOUS_CHECKSUM_AT);
  let at = FRAME_HEAD;
  for (const { key, value } of rows) {
    target.writeUInt16BE(key.length, at);
    target.writeUInt32BE(value.length, at + 2);
    target.set(key, at + ROW_HEAD);
    target.set(value, at + ROW_HEAD + key.length);
    at += ROW_HEAD + key.length + value.length;
  }
  target.fill(0, at);
  const sum = checksum(target);
  target.writeUInt32BE(sum, CHECKSUM_AT);
  return sum;
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(FRAME_HEAD), crc32(frame.subarray(0, CHECKSUM_AT)));
}

/** The rows of a body, up to the zeros that fill its last block. */
function decodeRows(body: Buffer): Row[] | undefined {
  const rows: Row[] = [];
  let at = 0;
  while (at + ROW_HEAD <= body.length) {
    const keyLength = body.readUInt16BE(at);
    if (keyLength === 0) break;
    const keyEnd = at + ROW_HEAD + keyLength;
    const end = keyEnd + body.readUInt32BE(at + 2);
    if (end > body.length) return undefined;
    rows.push({ key: body.subarray(at + ROW_HEAD, keyEnd), value: body.subarray(keyEnd, end) });
    at = end;
  }
  return rows;
}

export interface FoundFrame extends Frame {
  /** Checksum of the frame before; 0 for the first of a file. */
  readonly previousChecksum: number;
  readonly checksum: number;
  /** Where it ends in its file. */
  readonly end: number;
}

/** The frame that begins at `at`, if a whole one does. */
export function readFrame(file: Buffer, at: number): FoundFrame | undefined {
  if (at + FRAME_HEAD > file.length || file.readUInt32BE(at) !== MAGIC) return undefined;
  const end = at + FRAME_HEAD + file.readUInt32BE(at + LENGTH_AT);
  const sum = file.readUInt32BE(at + CHECKSUM_AT);
  if (end > file.length || checksum(file.subarray(at, end)) !== sum) return undefined;
  const rows = decodeRows(file.subarray(at + FRAME_HEAD, end));
  if (rows === undefined) return undefined;
  const [commit, settled] = [file.readUIntBE(at + 4, 6), file.readUIntBE(at + 10, 6)];
  const previousChecksum = file.readUInt32BE(at + PREVIOUS_CHECKSUM_AT);
  return { commit, settled, rows, previousChecksum, checksum: sum, end };
}

/** Whether a frame follows the one before it, or may be a file's first. */
export function follows(frame: FoundFrame, before: FoundFrame | undefined): boolean {
  if (before === undefined) return frame.commit > 0 && frame.previousChecksum === 0;
  return frame.commit === before.commit + 1 && frame.previousChecksum === before.checksum;
}

export interface ScannedFile {
  readonly frames: readonly FoundFrame[];
  /** Where the last good frame ends. */
  readonly end: number;
  /** Behind it a frame was begun that cannot be read: of the next commit, or of any when there is no good frame. */
  readonly torn: boolean;
}

/** The frames of one journal file from its start, as long as each follows the one before. */
export function scanFrames(file: Buffer): ScannedFile {
  const frames: FoundFrame[] = [];
  for (;;) {
    const last = frames.at(-1);
    const at = last?.end ?? 0;
    const frame = readFrame(file, at);
    if (frame === undefined || !follows(frame, last))
      return { frames, end: at, torn: isTorn(file, at, last) };
    frames.push(frame);
  }
}

/** No: nothing is written there yet, or it is the rest of an earlier turn, cut off in the middle of a frame. */
function isTorn(file: Buffer, at: number, last: FoundFrame | undefined): boolean {
  if (last === undefined) return file.subarray(at, at + FRAME_HEAD).some((byte) => byte !== 0);
  return at + FRAME_HEAD <= file.length && file.readUIntBE(at + 4, 6) === last.commit + 1;
}

/** Both files in order of their commits; a file whose commits do not join on to the newest is from an earlier turn. */
export function joinTurns(files: readonly ScannedFile[]): readonly Frame[] {
  const turns = files
    .map(({ frames }) => frames)
    .filter((frames) => frames.length > 0)
    .sort((a, b) => (a[0]?.commit ?? 0) - (b[0]?.commit ?? 0));
  const [older = [], newer] = turns;
  if (newer === undefined) return older;
  return older.at(-1)?.commit === (newer[0]?.commit ?? 0) - 1 ? [...older, ...newer] : newer;
}

/**
 * The frames to put back into a database that ends with `commit`: those since it was last known to be synced,
 * some of which it may have already. It may be ahead of a journal that was damaged at its end; then it has
 * everything.
 *
 * Throws `damaged` when commits between the two are missing.
 */
export function unsettledFrames(frames: readonly Frame[], commit: number, dir: string): readonly Frame[] {
  const last = frames.at(-1);
  if (last === undefined || last.commit < commit) return [];
  const unsettled = frames.filter((frame) => frame.commit > Math.min(last.settled, commit));
  const first = unsettled[0]?.commit ?? last.commit;
  if (first <= commit + 1) return unsettled;
  throw storeDamage(
    `the store in ${dir} ends with commit ${commit} and its journal begins with ${first}: what is between them is lost`,
  );
}
