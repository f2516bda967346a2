/**
 * Writes what the journal has made durable into the level store and the files of payloads, in unsynced
 * batches, a moment later or as soon as somebody wants to read. Small commits are joined on the way, so that
 * they become few and large values. `settle` makes everything durable there as well, so that the journal can
 * let go of it.
 */
import { constants } from 'node:fs';
import { join } from 'node:path';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { openIfThere, type Disk } from './disk.js';
import { joinRows } from './join-rows.js';
import type { Row } from './journal-frames.js';
import type { PayloadFiles } from './payload-files.js';
import type { Database } from './database.js';

/** Bytes of one level batch, about. */
const BATCH_BYTES = 8 * 1024 * 1024;
/** Of all that waits; beyond it commits wait too. */
const MAX_WAITING_BYTES = 64 * 1024 * 1024;
/** Less than this waits for more, but not longer than {@link LATEST_MS}. */
const EAGER_BYTES = 512 * 1024;
const LATEST_MS = 50;
/** Commits of fewer entries are joined with their neighbours. */
const SMALL_COMMIT = 128;

interface Waiting {
  readonly rows: readonly Row[];
  /** Of a small commit, to be joined with others. */
  readonly isSmall: boolean;
  readonly bytes: number;
  /** Counts what was added; {@link WriteBehind.applied} waits for one. */
  readonly ticket: number;
  /** Not to be joined with what comes after it. */
  endsRun: boolean;
}

export interface WriteBehindParts {
  readonly db: Database;
  /** Where the database's files are. */
  readonly location: string;
  readonly files: PayloadFiles;
  readonly disk: Disk;
}

export class WriteBehind {
  readonly #db: Database;
  readonly #files: PayloadFiles;
  readonly #location: string;
  readonly #disk: Disk;
  #waiting: Waiting[] = [];
  #bytes = 0;
  #step: Promise<void> | undefined;
  #timer: NodeJS.Timeout | undefined;
  /** Why nothing more is written: what the store failed with, or that it is closed. */
  #end: Error | undefined;
  #lastTicket = 0;
  #appliedTicket = 0;

  constructor({ db, location, files, disk }: WriteBehindParts) {
    this.#db = db;
    this.#files = files;
    this.#location = location;
    this.#disk = disk;
  }

  get isFull(): boolean {
    return this.#bytes > MAX_WAITING_BYTES;
  }

  /** Throws what the store failed with, if it did, or `closed`: nothing is lost, the journal has it. */
  throwIfFailed(): void {
    if (this.#end !== undefined) throw this.#end;
  }

  /** Resolves when nothing is being written, and nothing will be: what waited is left to the journal. */
  async stop(): Promise<void> {
    this.#endWith(new FirebreakError('closed', 'the store is closed'));
    await this.#step;
  }

  /**
   * `entries`: how many the commit has; absent for rows that are not of a commit, which are never joined. Does nothing
   * once the store has failed or is closed.
   */
  add(rows: readonly Row[], entries = Infinity): void {
    if (this.#end !== undefined) return;
    const bytes = rows.reduce((sum, { value }) => sum + value.length, 0);
    this.#lastTicket += 1;
    this.#waiting.push({
      rows,
      isSmall: entries < SMALL_COMMIT,
      bytes,
      ticket: this.#lastTicket,
      endsRun: false,
    });
    this.#bytes += bytes;
    if (this.#bytes >= EAGER_BYTES) this.#start();
    else this.#timer ??= setTimeout(() => this.#start(), LATEST_MS);
  }

  /** Resolves when everything added before is in the store, for all to read. Throws what the store failed with. */
  async applied(): Promise<void> {
    const target = this.#lastTicket;
    while (this.#appliedTicket < target && this.#end === undefined) {
      this.#start();
      await this.#step;
    }
    this.throwIfFailed();
  }

  /**
   * Resolves when everything added before is synced in the store. Throws what the store failed with.
   *
   * A later commit is not joined with an earlier one: put back from the journal alone, it would stand beside the joined
   * value that holds it as well. A failed sync is never tried again: the system may say yes and have dropped the data.
   */
  async settle(): Promise<void> {
    const last = this.#waiting.at(-1);
    if (last !== undefined) last.endsRun = true;
    await this.applied();
    try {
      await this.#files.sync();
      await this.#syncLogs();
    } catch (error) {
      this.#endWith(asError(error));
    }
    this.throwIfFailed();
  }

  /** LevelDB syncs the log it is writing; one it has just left is synced by nobody until its table is written. */
  async #syncLogs(): Promise<void> {
    const disk = this.#disk;
    for (const name of disk.list(this.#location).filter((file) => file.endsWith('.log'))) {
      const fd = openIfThere(disk, join(this.#location, name), constants.O_RDWR);
      if (fd === undefined) continue;
      try {
        await disk.sync(fd);
      } finally {
        disk.close(fd);
      }
    }
  }

  #start(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#step === undefined && this.#end === undefined) void this.#run();
  }

  async #run(): Promise<void> {
    while (this.#waiting.length > 0) {
      this.#step = this.#applySome();
      await this.#step;
    }
    this.#step = undefined;
  }

  /** Never rejects: what failed is told to whoever waits for it, and to the next commit. */
  async #applySome(): Promise<void> {
    let bytes = 0;
    const over = this.#waiting.findIndex((waiting) => (bytes += waiting.bytes) > BATCH_BYTES);
    const some = this.#waiting.splice(0, over === -1 ? this.#waiting.length : over + 1);
    try {
      const rows = await this.#files.take(rowsToPut(some));
      await this.#db.batch(rows.map((row) => ({ type: 'put' as const, ...row })));
      for (const waiting of some) this.#bytes -= waiting.bytes;
      this.#appliedTicket = some.at(-1)?.ticket ?? this.#appliedTicket;
    } catch (error) {
      this.#endWith(asError(error));
    }
  }

  /** The first reason stays. */
  #endWith(why: Error): void {
    this.#end ??= why;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = [];
  }
}

/** In order; runs of small commits as if they had been one. */
function rowsToPut(waiting: readonly Waiting[]): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < waiting.length;) {
    const run = waiting.slice(at, endOfRun(waiting, at));
    const all = run.flatMap((one) => one.rows);
    rows.push(...(run.length > 1 ? joinRows(all) : all));
    at += run.length;
  }
  return rows;
}

/** Where the run that begins at `at` ends: the small commits that may be joined, or one that is not small alone. */
function endOfRun(waiting: readonly Waiting[], at: number): number {
  let end = at;
  while (waiting[end]?.isSmall === true) {
    end += 1;
    if (waiting[end - 1]?.endsRun === true) return end;
  }
  return Math.max(end, at + 1);
}
