/**
 * How far the log had come as last answered for, beside the store (`head`). A damaged tail of a log file is
 * dropped without a word; this file is how the ledger notices that its store went back in time, and the
 * signed checkpoint in it is what anybody else may hold the log to. Two slots (head-slot.ts), written in
 * turn, so that a torn write spoils one at most.
 *
 * On the disk, with its name, before a new ledger takes its first batch: from then on a folder without it has lost it.
 *
 * Written after a commit is synced and before it is answered, and synced within some 10 ms, beside the commits that
 * follow: a killed process loses nothing of it, a power cut its last writes at most, and the journal has those commits.
 */
import { constants } from 'node:fs';
import { isZero } from '../../protocol/bytes.js';
import { asError } from '../../protocol/errors.js';
import { NODE_DISK, type Disk } from './disk.js';
import { readSlot, SLOT_BYTES, writeSlot, type Answered, type Head, type HeadSlot } from './head-slot.js';
import { storeDamage } from './store-damage.js';

/** Syncing more often would slow the journal on the same disk. */
const SYNC_EVERY_MS = 10;

export interface HeadFile {
  readonly path: string;
  /** What the file said when it was opened; `undefined` when there was none, or it was never written whole. */
  readonly found: Head | undefined;
  /** Throws when an earlier sync failed. */
  write(answered: Answered): void;
  /** Resolves when what was written is on the disk. Throws what the disk says. */
  synced(): Promise<void>;
  close(): Promise<void>;
}

function readNewest(disk: Disk, fd: number, path: string): HeadSlot | undefined {
  const bytes = Buffer.alloc(2 * SLOT_BYTES);
  disk.read(fd, bytes);
  const slots = [readSlot(bytes.subarray(0, SLOT_BYTES)), readSlot(bytes.subarray(SLOT_BYTES))];
  const valid = slots.filter((slot) => slot !== undefined).sort((a, b) => b.turn - a.turn);
  if (valid[0] !== undefined) return valid[0];
  // The first slot is written second: no earlier than that was anything answered for.
  if (isZero(bytes.subarray(0, SLOT_BYTES))) return undefined;
  throw storeDamage(`${path}, which tells how far the ledger has answered, is damaged`);
}

/** Opens or makes the head file. Throws `damaged` when neither of its slots can be read. */
export function openHeadFile(path: string, disk: Disk = NODE_DISK): HeadFile {
  const fd = disk.open(path, constants.O_RDWR | constants.O_CREAT, 0o600);
  let newest: HeadSlot | undefined;
  try {
    newest = readNewest(disk, fd, path);
  } catch (error) {
    disk.close(fd);
    throw error;
  }
  return new OpenHeadFile(path, { disk, fd, newest });
}

interface HeadParts {
  readonly disk: Disk;
  readonly fd: number;
  readonly newest: HeadSlot | undefined;
}

class OpenHeadFile implements HeadFile {
  readonly path: string;
  readonly found: Head | undefined;
  readonly #disk: Disk;
  readonly #fd: number;
  readonly #bytes = Buffer.alloc(SLOT_BYTES);
  #turn: number;
  #written = 0;
  #syncing: Promise<void> | undefined;
  #failure: Error | undefined;
  #endPause: () => void = () => undefined;

  constructor(path: string, { disk, fd, newest }: HeadParts) {
    this.path = path;
    this.#disk = disk;
    this.#fd = fd;
    this.found = newest;
    this.#turn = newest?.turn ?? 0;
  }

  write({ commit, checkpoint }: Answered): void {
    if (this.#failure !== undefined) throw this.#failure;
    this.#turn += 1;
    const bytes = this.#bytes;
    writeSlot(bytes, { turn: this.#turn, commit, checkpoint });
    const position = (this.#turn % 2) * SLOT_BYTES;
    for (let offset = 0; offset < SLOT_BYTES;)
      offset += this.#disk.write(this.#fd, { bytes, offset, position: position + offset });
    this.#written += 1;
    this.#syncing ??= this.#sync();
  }

  async synced(): Promise<void> {
    this.#endPause();
    await this.#syncing;
    if (this.#failure !== undefined) throw this.#failure;
  }

  async close(): Promise<void> {
    this.#endPause();
    await this.#syncing;
    this.#disk.close(this.#fd);
  }

  async #sync(): Promise<void> {
    try {
      for (let synced = 0; synced < this.#written;) {
        await this.#pause();
        synced = this.#written;
        await this.#disk.sync(this.#fd);
      }
    } catch (error) {
      this.#failure = asError(error);
    }
    this.#syncing = undefined;
  }

  /** Until it is time for the next sync, or to close. */
  #pause(): Promise<void> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, SYNC_EVERY_MS);
      this.#endPause = () => {
        clearTimeout(timer);
        resolve();
      };
    });
  }
}
