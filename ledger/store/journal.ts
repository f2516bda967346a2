/**
 * The journal: where a commit becomes durable. Each commit is one frame (journal-frames.ts), written and
 * synced in one go before it is answered; the level store is written behind it, unsynced, and what it had not
 * synced when the power went is replayed.
 *
 * Two files take turns (`journal-0`, `journal-1`): one is written over from its start once everything in it
 * is synced in the store. A file is never shortened while the ledger runs, so behind the newest frame there
 * are zeros or older frames; their commits are smaller, which is how the end is known. Where it can be, a
 * file is written past the system's cache: that spares a copy, and a page is not written twice for two small
 * frames in it.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import { setImmediate } from 'node:timers/promises';
import { BLOCK, BlockBuffer, wholeBlocks } from './block-buffer.js';
import { NODE_DISK, type Disk } from './disk.js';
import { JOURNAL_FILES } from './folder.js';
import { verdictsOn, type FileVerdict } from './journal-end.js';
import type { SignedLength } from './signed-length.js';
import { frameLength, joinTurns, scanFrames, writeFrame, type Frame } from './journal-frames.js';

const TURN_BYTES = 16 * 1024 * 1024;
/** Files grow by this much, zeros, so that most syncs of small writes need not write the file's length as well. */
const GROWTH_BYTES = 1024 * 1024;
const WIPE_BYTES = 1024 * 1024;

/**
 * A small write to a disk that is quicker than this is made on this thread: handing it to another and waking up again
 * takes longer than the write. On a slow disk, other work goes on meanwhile.
 */
const SMALL_WRITE = 64 * 1024;
const QUICK_WRITE_MS = 0.5;
/** After so many writes on this thread the event loop runs once: timers, and what came back from other threads. */
const WRITES_BEFORE_YIELD = 32;

/** What a journal held when it was opened. */
export interface FoundFrames {
  /** Oldest first, without gaps. */
  readonly frames: readonly Frame[];
  /** The file that holds a frame cut short or damaged behind the last good one. */
  readonly torn: string | undefined;
  /** The damage that shows the newest commit of those that cannot be read, if any does. */
  readonly damaged: FileVerdict | undefined;
}

/** One of the two files, and how far this turn of it has come. */
interface TurnFile {
  readonly fd: number;
  /** Where the next frame goes. */
  at: number;
  /** Bytes in the file, those of earlier turns too. */
  length: number;
  lastCommit: number;
  /** Checksum of the frame before `at`; 0 at the start of the file. */
  lastChecksum: number;
}

/** O_DSYNC: a write returns when it is synced, in one call instead of two. */
const OPEN_FLAGS = constants.O_RDWR | constants.O_CREAT | constants.O_DSYNC;

function openForWriting(disk: Disk, path: string): number {
  try {
    return disk.open(path, OPEN_FLAGS | constants.O_DIRECT, 0o600);
  } catch (error) {
    const isUnknown = error instanceof Error && 'code' in error && error.code === 'EINVAL';
    if (!isUnknown) throw error;
    return disk.open(path, OPEN_FLAGS, 0o600);
  }
}

/** All of them, or none. */
function openAll(disk: Disk, paths: readonly string[]): readonly number[] {
  const opened: number[] = [];
  try {
    for (const path of paths) opened.push(openForWriting(disk, path));
    return opened;
  } catch (error) {
    for (const fd of opened) disk.close(fd);
    throw error;
  }
}

/** Reads through the cache, at any length. */
function wholeFile(disk: Disk, path: string): Buffer {
  const fd = disk.open(path, constants.O_RDONLY | constants.O_CREAT, 0o600);
  try {
    const bytes = Buffer.alloc(disk.size(fd));
    return bytes.subarray(0, disk.read(fd, bytes));
  } finally {
    disk.close(fd);
  }
}

export interface JournalOptions {
  readonly disk?: Disk;
  /** A file this long is full. */
  readonly turnBytes?: number;
  /** Without it no frame behind one that cannot be read is believed. */
  readonly signedLength?: SignedLength;
}

export interface OpenedJournal {
  readonly journal: Journal;
  /** As large as the files were: not to be kept. */
  readonly found: FoundFrames;
}

/** Opens or makes the two files in `dir`. Throws what the disk says, and leaves none open then. */
export function openJournal(
  dir: string,
  { disk = NODE_DISK, turnBytes = TURN_BYTES, signedLength = () => undefined }: JournalOptions = {},
): OpenedJournal {
  const paths = JOURNAL_FILES.map((name) => join(dir, name));
  const read = JOURNAL_FILES.map((name, i) => {
    const file = { name, bytes: wholeFile(disk, paths[i] as string) };
    return { file, scanned: scanFrames(file.bytes) };
  });
  const files = openAll(disk, paths).map((fd, i) => ({
    fd,
    at: 0,
    length: read[i]?.file.bytes.length ?? 0,
    lastCommit: read[i]?.scanned.frames.at(-1)?.commit ?? 0,
    lastChecksum: 0,
  }));
  const found = {
    frames: joinTurns(read.map(({ scanned }) => scanned)),
    torn: read.find(({ scanned }) => scanned.torn)?.file.name,
    damaged: [...verdictsOn(read, signedLength)]
      .sort((a, b) => b.reaches - a.reaches)
      .find(({ reaches }) => reaches > 0),
  };
  return { journal: new Journal({ disk, turnBytes, files }), found };
}

interface JournalParts {
  readonly disk: Disk;
  readonly turnBytes: number;
  /** Open, in the order of their names. */
  readonly files: readonly TurnFile[];
}

export class Journal {
  readonly #disk: Disk;
  readonly #turnBytes: number;
  readonly #files: readonly TurnFile[];
  readonly #memory = new BlockBuffer();
  /** Place in `#files` of the one under way. */
  #currentIndex = 0;
  /** How long synced writes took lately; one that was held up does not make a disk slow. */
  #writeMs = 0;
  #writesSinceYield = 0;

  constructor({ disk, turnBytes, files }: JournalParts) {
    this.#disk = disk;
    this.#turnBytes = turnBytes;
    this.#files = files;
  }

  /** The file under way is full: time to {@link turn} to the other. */
  get isFull(): boolean {
    return this.#current().at >= this.#turnBytes;
  }

  /** Whether the other file holds frames that the store, synced up to commit `settled`, does not have for good yet. */
  isBlocked(settled: number): boolean {
    return this.#other().lastCommit > settled;
  }

  /** Goes on in the other file, over what it holds. */
  turn(): void {
    this.#currentIndex = 1 - this.#currentIndex;
    Object.assign(this.#current(), { at: 0, lastChecksum: 0 });
  }

  /** Resolves when the frame is written and synced. Not to be called again before that. */
  async append(frame: Frame): Promise<void> {
    const file = this.#current();
    const length = frameLength(frame.rows);
    const grows = file.at + length > file.length && length < SMALL_WRITE;
    const padded = grows ? length + GROWTH_BYTES : length;
    const bytes = this.#memory.room(padded).subarray(0, padded);
    const checksum = writeFrame(bytes.subarray(0, length), frame, file.lastChecksum);
    if (grows) bytes.fill(0, length);
    await this.#write(file, bytes, length);
    file.at += length;
    file.lastCommit = frame.commit;
    file.lastChecksum = checksum;
  }

  /** Everything is synced in the store: leaves empty files. */
  clear(): void {
    for (const file of this.#files) {
      this.#disk.truncate(file.fd);
      Object.assign(file, { at: 0, length: 0, lastCommit: 0, lastChecksum: 0 });
    }
  }

  /**
   * As {@link clear}, with zeros written over what the files held, from the end of each: wherever it stops,
   * there is no frame behind one that cannot be read. Should it fail, the next frame still goes to the start
   * of a file, where what is left of older ones does no harm. Nothing may be appended before it resolves.
   */
  async wipe(): Promise<void> {
    for (const file of this.#files) {
      Object.assign(file, { at: 0, lastCommit: 0, lastChecksum: 0 });
      for (let end = wholeBlocks(file.length); end > 0; end -= WIPE_BYTES)
        await this.#zero(file, Math.max(0, end - WIPE_BYTES), end);
    }
    this.clear();
  }

  close(): void {
    for (const { fd } of this.#files) this.#disk.close(fd);
  }

  async #zero({ fd }: TurnFile, from: number, end: number): Promise<void> {
    const zeros = this.#memory.room(WIPE_BYTES).subarray(0, WIPE_BYTES).fill(0);
    for (let position = from; position < end;) {
      const bytes = zeros.subarray(0, end - position);
      position += wholeBlocksOf(bytes, await this.#disk.writeAsync(fd, { bytes, offset: 0, position }));
    }
  }

  /** Writes the first `needed` bytes, and the others as far as the disk takes them. */
  async #write(file: TurnFile, bytes: Buffer, needed: number): Promise<void> {
    if (this.#writesSinceYield >= WRITES_BEFORE_YIELD) await this.#yieldToLoop();
    const startMs = performance.now();
    const here = needed <= SMALL_WRITE && this.#writeMs < QUICK_WRITE_MS;
    for (let offset = 0; offset < needed;) {
      const piece = { bytes, offset, position: file.at + offset };
      const written = here ? this.#disk.write(file.fd, piece) : await this.#disk.writeAsync(file.fd, piece);
      offset += wholeBlocksOf(bytes.subarray(offset), written);
      file.length = Math.max(file.length, file.at + offset);
    }
    if (here) this.#writesSinceYield += 1;
    const took = Math.min(performance.now() - startMs, 2 * QUICK_WRITE_MS);
    this.#writeMs += (took - this.#writeMs) / 8;
  }

  /** A caller that appends again as soon as it is answered would never let the event loop run. */
  async #yieldToLoop(): Promise<void> {
    await setImmediate();
    this.#writesSinceYield = 0;
  }

  #current(): TurnFile {
    return this.#files[this.#currentIndex] as TurnFile;
  }

  #other(): TurnFile {
    return this.#files[1 - this.#currentIndex] as TurnFile;
  }
}

/**
 * The whole blocks of what was written: the next write must begin at a block again. A disk that takes less
 * than one block is full. Throws ENOSPC then.
 */
function wholeBlocksOf(bytes: Buffer, written: number): number {
  const taken = written - (written % BLOCK);
  if (taken > 0 || bytes.length === 0) return taken;
  throw Object.assign(new Error('ENOSPC: no space left on device, write'), { code: 'ENOSPC' });
}
