/**
 * The journal: where a commit becomes durable. Each commit is one frame, written and synced in one go before it is
 * answered; the level store is written behind it, unsynced, and what it had not synced when the power went is replayed.
 *
 *     frame   "FBJ1" | commit u48 | settled u48 | body length u32 | CRC-32 of all before it and of the body u32 | body
 *     body    key length u16 | value length u32 | key | value, for each row that the commit puts into the store
 *
 * Two files take turns (`journal-0`, `journal-1`): one is written over from its start once everything in it is synced
 * in the store. A file is never shortened while the ledger runs, so behind the newest frame there are zeros or older
 * frames; their commits are smaller, which is how the end is known.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import { crc32 } from 'node:zlib';
import { FirebreakError } from '../../protocol/errors.js';
import { NODE_DISK, type Disk } from './disk.js';

const MAGIC = 0x46424a31;
export const FRAME_HEAD = 24;
const LENGTH_AT = 16;
const CHECKED_HEAD = 20;
const ROW_HEAD = 6;
const TURN_BYTES = 16 * 1024 * 1024;
/** Files grow by this much, zeros, so that most syncs of small writes need not write the file's length as well. */
const WIPE_BYTES = 1024 * 1024;
const GROWTH_BYTES = 256 * 1024;

/**
 * A small write to a disk that is quicker than this is made on this thread: handing it to another and waking up again
 * takes longer than the write. On a slow disk, other work goes on meanwhile.
 */
const SMALL_WRITE = 64 * 1024;
const QUICK_WRITE_MS = 0.5;

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

/** What a journal held when it was opened. */
export interface FoundFrames {
  /** Oldest first, without gaps. */
  readonly frames: readonly Frame[];
  /** The file that holds a frame cut short or damaged behind the last good one. */
  readonly torn: string | undefined;
}

/** One write, as long as the frame; rows are copied into it. */
export function encodeFrame({ commit, settled, rows }: Frame): Buffer {
  const body = rows.reduce((sum, { key, value }) => sum + ROW_HEAD + key.length + value.length, 0);
  const frame = Buffer.allocUnsafe(FRAME_HEAD + body);
  frame.writeUInt32BE(MAGIC, 0);
  frame.writeUIntBE(commit, 4, 6);
  frame.writeUIntBE(settled, 10, 6);
  frame.writeUInt32BE(body, LENGTH_AT);
  let at = FRAME_HEAD;
  for (const { key, value } of rows) {
    frame.writeUInt16BE(key.length, at);
    frame.writeUInt32BE(value.length, at + 2);
    frame.set(key, at + ROW_HEAD);
    frame.set(value, at + ROW_HEAD + key.length);
    at += ROW_HEAD + key.length + value.length;
  }
  frame.writeUInt32BE(checksum(frame), CHECKED_HEAD);
  return frame;
}

function checksum(frame: Buffer): number {
  return crc32(frame.subarray(FRAME_HEAD), crc32(frame.subarray(0, CHECKED_HEAD)));
}

function decodeRows(body: Buffer): Row[] | undefined {
  const rows: Row[] = [];
  let at = 0;
  while (at < body.length) {
    if (at + ROW_HEAD > body.length) return undefined;
    const keyEnd = at + ROW_HEAD + body.readUInt16BE(at);
    const end = keyEnd + body.readUInt32BE(at + 2);
    if (end > body.length) return undefined;
    rows.push({ key: body.subarray(at + ROW_HEAD, keyEnd), value: body.subarray(keyEnd, end) });
    at = end;
  }
  return rows;
}

export interface ScannedFile {
  readonly frames: readonly Frame[];
  /** Where the last good frame ends. */
  readonly end: number;
  /** Bytes behind it begin a frame of the next commit, or of any when there is no good one, which cannot be read. */
  readonly torn: boolean;
}

/** The frames of one journal file from its start, as long as each is of the commit after the one before. Pure. */
export function scanFrames(file: Buffer): ScannedFile {
  const frames: Frame[] = [];
  let at = 0;
  for (;;) {
    const commit = at + FRAME_HEAD <= file.length ? file.readUIntBE(at + 4, 6) : 0;
    const last = frames.at(-1)?.commit;
    const isNext = last === undefined ? commit > 0 : commit === last + 1;
    const frame = isNext ? readFrame(file, at, commit) : undefined;
    if (frame === undefined) return { frames, end: at, torn: isNext || !isStale(file, at, last) };
    frames.push(frame);
    at += FRAME_HEAD + file.readUInt32BE(at + LENGTH_AT);
  }
}

function readFrame(file: Buffer, at: number, commit: number): Frame | undefined {
  if (file.readUInt32BE(at) !== MAGIC) return undefined;
  const end = at + FRAME_HEAD + file.readUInt32BE(at + LENGTH_AT);
  if (end > file.length) return undefined;
  const bytes = file.subarray(at, end);
  if (bytes.readUInt32BE(CHECKED_HEAD) !== checksum(bytes)) return undefined;
  const rows = decodeRows(bytes.subarray(FRAME_HEAD));
  return rows && { commit, settled: bytes.readUIntBE(10, 6), rows };
}

/** Nothing written yet, or the rest of an earlier turn, which ends anywhere in a frame. */
function isStale(file: Buffer, at: number, last: number | undefined): boolean {
  const head = file.subarray(at, at + FRAME_HEAD);
  return last !== undefined || head.every((byte) => byte === 0);
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
 * The frames to put back into a database that ends with `commit`: those since it was last known to be synced, some of which
 * it may have already. It may be ahead of a journal that was damaged at its end; then it has everything.
 *
 * Throws `damaged` when commits between the two are missing.
 */
export function unsettledFrames(frames: readonly Frame[], commit: number, dir: string): readonly Frame[] {
  const last = frames.at(-1);
  if (last === undefined || last.commit < commit) return [];
  const unsettled = frames.filter((frame) => frame.commit > Math.min(last.settled, commit));
  const first = unsettled[0]?.commit ?? last.commit;
  if (first <= commit + 1) return unsettled;
  throw new FirebreakError(
    'damaged',
    `the store in ${dir} ends with commit ${commit} and its journal begins with ${first}: restore the folder from a copy`,
  );
}

export const JOURNAL_FILES: readonly string[] = ['journal-0', 'journal-1'];

interface TurnFile {
  readonly fd: number;
  /** Where the next frame goes. */
  at: number;
  length: number;
  lastCommit: number;
}

/** O_DSYNC: a write returns when it is synced, in one call instead of two. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;

export interface JournalOptions {
  readonly disk?: Disk;
  /** A file this long is full. */
  readonly turnBytes?: number;
}

export class Journal {
  readonly found: FoundFrames;
  readonly #disk: Disk;
  readonly #turnBytes: number;
  readonly #files: readonly TurnFile[];
  #turn = 0;
  /** How long synced writes took lately. */
  #writeMs = 0;

  constructor(dir: string, { disk = NODE_DISK, turnBytes = TURN_BYTES }: JournalOptions = {}) {
    this.#disk = disk;
    this.#turnBytes = turnBytes;
    const opened = JOURNAL_FILES.map((name) => disk.open(join(dir, name), OPEN_FLAGS, 0o600));
    const scanned = opened.map((fd) => scanFrames(wholeFile(disk, fd)));
    const frames = joinTurns(scanned);
    const torn = JOURNAL_FILES.find((_, i) => scanned[i]?.torn);
    this.found = { frames, torn };
    this.#files = opened.map((fd, i) => ({
      fd,
      at: 0,
      length: disk.size(fd),
      lastCommit: scanned[i]?.frames.at(-1)?.commit ?? 0,
    }));
  }

  /** The file under way is full: time to {@link turn} to the other. */
  get isFull(): boolean {
    return this.#current().at >= this.#turnBytes;
  }

  /** The other file holds frames that are not synced in the store, which it is up to commit `settled`. */
  isBlocked(settled: number): boolean {
    return this.#other().lastCommit > settled;
  }

  /** Goes on in the other file, over what it holds. */
  turn(): void {
    this.#turn = 1 - this.#turn;
    this.#current().at = 0;
  }

  /** Resolves when the frame is written and synced. Not to be called again before that. */
  async append(frame: Frame): Promise<void> {
    const file = this.#current();
    const bytes = encodeFrame(frame);
    const end = file.at + bytes.length;
    const grows = end > file.length && bytes.length < SMALL_WRITE;
    const padded = grows ? Buffer.concat([bytes, Buffer.alloc(GROWTH_BYTES)]) : bytes;
    const startMs = performance.now();
    const here = bytes.length <= SMALL_WRITE && this.#writeMs < QUICK_WRITE_MS;
    await this.#write(file, padded, here);
    this.#writeMs += (performance.now() - startMs - this.#writeMs) / 8;
    file.length = Math.max(file.length, file.at + padded.length);
    file.at = end;
    file.lastCommit = frame.commit;
  }

  /** Everything is synced in the store: leaves empty files. */
  clear(): void {
    for (const file of this.#files) {
      this.#disk.truncate(file.fd);
      Object.assign(file, { at: 0, length: 0, lastCommit: 0 });
    }
  }

  /**
   * As {@link clear}, with zeros written over what the files held. Should that fail, the next frame still goes to the start
   * of a file, where what is left of older ones does no harm.
   */
  wipe(): void {
    for (const file of this.#files) {
      Object.assign(file, { at: 0, lastCommit: 0 });
      const bytes = Buffer.alloc(WIPE_BYTES);
      for (let position = 0; position < file.length;)
        position += this.#disk.write(file.fd, {
          bytes,
          offset: Math.max(0, WIPE_BYTES - (file.length - position)),
          position,
        });
    }
    this.clear();
  }

  close(): void {
    for (const { fd } of this.#files) this.#disk.close(fd);
  }

  async #write({ fd, at }: TurnFile, bytes: Buffer, here: boolean): Promise<void> {
    for (let offset = 0; offset < bytes.length;) {
      const piece = { bytes, offset, position: at + offset };
      offset += here ? this.#disk.write(fd, piece) : await this.#disk.writeElsewhere(fd, piece);
    }
  }

  #current(): TurnFile {
    return this.#files[this.#turn] as TurnFile;
  }

  #other(): TurnFile {
    return this.#files[1 - this.#turn] as TurnFile;
  }
}

function wholeFile(disk: Disk, fd: number): Buffer {
  const bytes = Buffer.alloc(disk.size(fd));
  return bytes.subarray(0, disk.read(fd, bytes));
}
