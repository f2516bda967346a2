/**
 * What stands behind the last good frame of a journal file: nothing that counts, a write that was cut short, or a
 * commit that was answered for and is damaged. Pure.
 *
 * A frame is written only when the one before it is synced, one at a time: a whole frame behind one that cannot be
 * read says that the latter was synced, and answered for.
 */
import { crc32 } from 'node:zlib';
import { equalBytes, isZero } from '../../protocol/bytes.js';
import { BLOCK } from './block-buffer.js';
import { CRC_32, findFlippedByte } from './crc-tables.js';
import {
  CHECKSUM_AT,
  follows,
  FRAME_HEAD,
  LENGTH_AT,
  MAGIC,
  readFrame,
  type FoundFrame,
  type ScannedFile,
} from './journal-frames.js';
import type { SignedLength } from './signed-length.js';
import { STATE_KEY } from './store-keys.js';

export interface JournalFile {
  readonly name: string;
  readonly bytes: Buffer;
}

export interface Verdict {
  readonly kind: 'damage' | 'interrupted';
  readonly what: string;
  /** Where in the file. */
  readonly offset: number;
  /** The newest commit that was written whole, as what stands there proves; 0 when it proves none. */
  readonly reaches: number;
}

interface Flipped {
  readonly offset: number;
  readonly frame: FoundFrame;
}

/** The frame at `at` with one bit of the file changed. `file` is as it was afterwards. */
function readWith(file: Buffer, at: number, byte: number, bit: number): FoundFrame | undefined {
  const before = file[byte] as number;
  file[byte] = before ^ (1 << bit);
  const frame = readFrame(file, at);
  file[byte] = before;
  return frame;
}

/** The head of a frame with one bit changed, so that a frame can be read there. */
function flippedInHead(file: Buffer, at: number, last: FoundFrame | undefined): Flipped | undefined {
  for (let bit = 0; bit < FRAME_HEAD * 8; bit++) {
    const offset = at + (bit >> 3);
    const frame = readWith(file, at, offset, bit & 7);
    if (frame !== undefined && follows(frame, last)) return { offset, frame };
  }
  return undefined;
}

/**
 * The same for its rows, in one pass, however many they are. Of what a write of megabytes cut short leaves, one in some
 * hundred has a checksum that one bit would explain: only a frame that ends with its state row counts.
 */
function flippedInBody(file: Buffer, at: number, last: FoundFrame | undefined): Flipped | undefined {
  const end = at + FRAME_HEAD + file.readUInt32BE(at + LENGTH_AT);
  if (file.readUInt32BE(at) !== MAGIC || end > file.length) return undefined;
  const body = file.subarray(at + FRAME_HEAD, end);
  const actual = crc32(body, crc32(file.subarray(at, at + CHECKSUM_AT)));
  const flipped = findFlippedByte(body.length, actual ^ file.readUInt32BE(at + CHECKSUM_AT), CRC_32);
  if (flipped === undefined) return undefined;
  const offset = at + FRAME_HEAD + flipped;
  const read = Array.from({ length: 8 }, (_, bit) => readWith(file, at, offset, bit));
  const frame = read.find((one) => one !== undefined);
  return frame && follows(frame, last) && endsWithState(frame) ? { offset, frame } : undefined;
}

const endsWithState = ({ rows }: FoundFrame): boolean =>
  equalBytes(rows.at(-1)?.key ?? new Uint8Array(0), STATE_KEY);

/** What is known of a journal beside the file that is looked at. */
interface Known {
  /** The commit that the other file ends with. */
  readonly before: number | undefined;
  /** By the frames that were read. */
  readonly length: number;
  readonly signedLength: SignedLength;
}

/**
 * The newest commit after `last` that has a whole frame somewhere behind `at`, where a frame cannot be read: at the
 * start of a block, no further on than there is room for the commits between, and signed, of a longer log. Who sends
 * payloads, which stay there from an earlier turn, cannot make that: checkpoints that were published are of no longer
 * one. A commit that only refused is not seen so. 0 when there is none.
 */
function latestBehind(
  file: Buffer,
  at: number,
  last: number | undefined,
  { length, signedLength }: Known,
): number {
  let latest = 0;
  for (let next = at + BLOCK; next < file.length; next += BLOCK) {
    const frame = readFrame(file, next);
    if (frame === undefined || (frame.end - next) % BLOCK !== 0) continue;
    const lost = frame.commit - (last ?? 0) - 1;
    const isLater = lost > 0 && (last === undefined || lost <= (next - at) / BLOCK);
    if (isLater && (signedLength(frame) ?? 0) > length) latest = Math.max(latest, frame.commit);
  }
  return latest;
}

/** The one bit that is set behind the last frame, where there are only zeros otherwise. */
function strayBit(file: Buffer, end: number): number | undefined {
  const at = file.subarray(end).findIndex((byte) => byte !== 0);
  const byte = at === -1 ? 0 : (file[end + at] as number);
  const isOneBit = byte !== 0 && (byte & (byte - 1)) === 0;
  return isOneBit && isZero(file.subarray(end + at + 1)) ? end + at : undefined;
}

/**
 * What stands behind the last good frame; `undefined` when nothing that counts. A file without a good frame goes on
 * from the commit that the other one ends with; what it holds of its turn before is older.
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
function verdictOnEnd(bytes: Buffer, { frames, end, torn }: ScannedFile, known: Known): Verdict | undefined {
  if (end + FRAME_HEAD > bytes.length) return undefined;
  const stray = strayBit(bytes, end);
  if (stray !== undefined)
    return {
      kind: 'damage',
      what: 'one bit was flipped where nothing is written yet',
      offset: stray,
      reaches: 0,
    };
  const last = frames.at(-1);
  const flipped = flippedInHead(bytes, end, last) ?? (torn ? flippedInBody(bytes, end, last) : undefined);
  const later = latestBehind(bytes, end, last?.commit ?? known.before, known);
  if (flipped !== undefined)
    return {
      kind: 'damage',
      what: 'a commit does not match its checksum: one bit was flipped',
      offset: flipped.offset,
      reaches: Math.max(flipped.frame.commit, later),
    };
  if (later > 0)
    return {
      kind: 'damage',
      what: 'a commit cannot be read, and later ones can',
      offset: end,
      reaches: later,
    };
  if (!torn) return undefined;
  return { kind: 'interrupted', what: 'ends in a write that was cut short', offset: end, reaches: 0 };
}

export interface FileVerdict extends Verdict {
  readonly file: string;
}

/** Of the two files of a journal, each with what {@link scanFrames} found in it. */
export function verdictsOn(
  files: readonly { readonly file: JournalFile; readonly scanned: ScannedFile }[],
  signedLength: SignedLength,
): readonly FileVerdict[] {
  const newest = files.flatMap(({ scanned }) => scanned.frames.slice(-1));
  const length = Math.max(0, ...newest.map((frame) => signedLength(frame) ?? 0));
  return files.flatMap((one) => {
    const other = files.find((another) => another !== one);
    const before = other?.scanned.frames.at(-1)?.commit;
    const verdict = verdictOnEnd(one.file.bytes, one.scanned, { before, length, signedLength });
    return verdict === undefined ? [] : [{ ...verdict, file: one.file.name }];
  });
}
