/**
 * The files that hold payloads, one for each day that is pruned together: `payloads/20000`, and
 * `payloads/kept` for what no retention window ends. They only grow, by what the journal has made durable, so
 * they are written without a sync until the journal is to let go of it. What was written before a crash is
 * written again, over itself.
 */
import { constants, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Semaphore } from './semaphore.js';
import { NODE_DISK, openIfThere, syncFolder, type Disk } from './disk.js';
import { PAYLOAD_FOLDER, payloadFileOf } from './folder.js';
import type { Row } from './journal-frames.js';
import { isPayloadKey } from './store-keys.js';
import { pieceOf, placeRowOf, type PayloadPiece, type PayloadPlace } from './store-payloads.js';

/** Bytes of one write, about. */
const WRITE_BYTES = 1024 * 1024;
/** Overwritten between two syncs of a file that goes: a commit waits for no more than that. */
const WIPE_BYTES = 4 * WRITE_BYTES;
/** After each piece the disk is left to commits for as long as the piece took, but no longer than this. */
const LONGEST_PAUSE_MS = 20;
/** Files kept open between two syncs. */
const MAX_OPEN = 64;
/** Descriptors of readers: as many as Node has threads for the disk. */
const MAX_READERS = 4;

/** Pieces that lie end to end in the file of a day. */
interface Run {
  readonly day: number;
  readonly offset: number;
  readonly pieces: Buffer[];
  bytes: number;
}

/** The bytes there, or the beginning of them, or none when the file is gone. */
export type ReadPlace = (place: PayloadPlace) => Promise<Buffer>;

/** The files of payloads in `dir`, in a folder that is made if there is none. */
export function openPayloadFiles(dir: string, disk: Disk = NODE_DISK): PayloadFiles {
  const folder = join(dir, PAYLOAD_FOLDER);
  mkdirSync(folder, { recursive: true, mode: 0o700 });
  return new PayloadFiles(folder, disk);
}

export class PayloadFiles {
  readonly #disk: Disk;
  readonly #folder: string;
  /** Where the next payload of a day goes. */
  readonly #ends = new Map<number, number>();
  /** Files written since the last sync, by day. */
  readonly #open = new Map<number, number>();
  readonly #readers = new Semaphore(MAX_READERS);
  /** One after the other: nothing is closed that somebody writes to. */
  readonly #alone = new Semaphore(1);
  #hasNewFile = false;

  constructor(folder: string, disk: Disk) {
    this.#disk = disk;
    this.#folder = folder;
  }

  /** Says where a day ends, when the store is opened. */
  setEnd(day: number, end: number): void {
    this.#ends.set(day, end);
  }

  /** Takes the next `length` bytes of a day's file; gives where they begin. */
  reserve(day: number, length: number): number {
    const offset = this.#ends.get(day) ?? 0;
    this.#ends.set(day, offset + length);
    return offset;
  }

  /** Bytes of a day's file; 0 when there is none. */
  size(day: number): number {
    const fd = this.#openIfThere(day, constants.O_RDONLY);
    if (fd === undefined) return 0;
    try {
      return this.#disk.size(fd);
    } finally {
      this.#disk.close(fd);
    }
  }

  /** Writes what rows of frames hold of payloads; gives the rows for the database, in order. */
  async take(rows: readonly Row[]): Promise<Row[]> {
    await this.#alone.run(async () => {
      for (const run of runsOf(rows)) await this.#write(run);
    });
    return rows.map((row) => (isPayloadKey(row.key) ? placeRowOf(row) : row));
  }

  /** Resolves when everything written so far is on the disk. Rejects with what the disk says. */
  sync(): Promise<void> {
    return this.#alone.run(() => this.#sync());
  }

  /**
   * Lends what reads the file of a day, for as long as `use` takes. A descriptor each, and a few at a time
   * over all calls: a reader must not leave the ledger without any.
   */
  reading<T>(day: number, use: (read: ReadPlace) => Promise<T>): Promise<T> {
    return this.#readers.run(async () => {
      const fd = this.#openIfThere(day, constants.O_RDONLY);
      if (fd === undefined) return use(async () => Buffer.alloc(0));
      try {
        return await use((place) => this.#read(fd, place));
      } finally {
        this.#disk.close(fd);
      }
    });
  }

  /**
   * Overwrites the file of a day, which nobody writes to any more, with zeros, and removes it. Harmless to
   * repeat. In synced pieces with pauses: one sync of a whole day would hold up those of the journal for as
   * long as it takes. Once `signal` is aborted it rejects with the reason, behind the piece in hand, and the
   * file stays, zeros to there.
   */
  async remove(day: number, signal?: AbortSignal): Promise<void> {
    await this.#alone.run(async () => this.#close(day));
    const fd = this.#openIfThere(day, constants.O_RDWR);
    if (fd === undefined) return;
    try {
      const size = this.#disk.size(fd);
      for (let at = 0; at < size; at += WIPE_BYTES) {
        signal?.throwIfAborted();
        const begunMs = performance.now();
        await this.#wipe(fd, at, Math.min(at + WIPE_BYTES, size));
        await sleep(Math.min(performance.now() - begunMs, LONGEST_PAUSE_MS));
      }
    } finally {
      this.#disk.close(fd);
    }
    this.#disk.unlink(this.#pathOf(day));
    this.#ends.delete(day);
    await syncFolder(this.#disk, this.#folder);
  }

  /** Lets go of the files as they are. */
  async close(): Promise<void> {
    await this.#alone.run(async () => {
      for (const day of [...this.#open.keys()]) this.#close(day);
    });
  }

  async #read(fd: number, { offset, length }: PayloadPlace): Promise<Buffer> {
    const bytes = Buffer.allocUnsafe(length);
    let at = 0;
    while (at < length) {
      const read = await this.#disk.readAsync(fd, bytes.subarray(at), offset + at);
      if (read === 0) break;
      at += read;
    }
    return bytes.subarray(0, at);
  }

  async #write({ day, offset, pieces }: Run): Promise<void> {
    const fd = await this.#fdOf(day);
    const bytes = pieces.length === 1 ? (pieces[0] as Buffer) : Buffer.concat(pieces);
    for (let at = 0; at < bytes.length;)
      at += await this.#disk.writeAsync(fd, { bytes, offset: at, position: offset + at });
  }

  /** Resolves when there are zeros from `start` to `end`, on the disk. */
  async #wipe(fd: number, start: number, end: number): Promise<void> {
    const zeros = Buffer.alloc(Math.min(WRITE_BYTES, end - start));
    for (let position = start; position < end;) {
      const bytes = zeros.subarray(0, end - position);
      position += await this.#disk.writeAsync(fd, { bytes, offset: 0, position });
    }
    await this.#disk.sync(fd);
  }

  async #fdOf(day: number): Promise<number> {
    const open = this.#open.get(day);
    if (open !== undefined) return open;
    if (this.#open.size >= MAX_OPEN) await this.#sync();
    let fd = this.#openIfThere(day, constants.O_RDWR);
    if (fd === undefined) {
      fd = this.#disk.open(this.#pathOf(day), constants.O_RDWR | constants.O_CREAT, 0o600);
      this.#hasNewFile = true;
    }
    this.#open.set(day, fd);
    return fd;
  }

  async #sync(): Promise<void> {
    for (const [day, fd] of [...this.#open]) {
      await this.#disk.sync(fd);
      this.#close(day);
    }
    if (this.#hasNewFile) await syncFolder(this.#disk, this.#folder);
    this.#hasNewFile = false;
  }

  #close(day: number): void {
    const fd = this.#open.get(day);
    if (fd === undefined) return;
    this.#open.delete(day);
    this.#disk.close(fd);
  }

  #openIfThere(day: number, flags: number): number | undefined {
    return openIfThere(this.#disk, this.#pathOf(day), flags);
  }

  #pathOf(day: number): string {
    return join(this.#folder, payloadFileOf(day));
  }
}

/** What the rows hold of payloads, in as few writes as may be. */
function runsOf(rows: readonly Row[]): Run[] {
  const runs: Run[] = [];
  const open = new Map<number, Run>();
  for (const row of rows) if (isPayloadKey(row.key)) addPiece(pieceOf(row), runs, open);
  return runs;
}

function addPiece({ day, offset, records }: PayloadPiece, runs: Run[], open: Map<number, Run>): void {
  const run = open.get(day);
  if (run !== undefined && run.offset + run.bytes === offset && run.bytes < WRITE_BYTES) {
    run.pieces.push(records);
    run.bytes += records.length;
    return;
  }
  const begun = { day, offset, pieces: [records], bytes: records.length };
  open.set(day, begun);
  runs.push(begun);
}
