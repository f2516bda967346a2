/** The level folder under a spool, with what can go wrong in words. */
import { Level } from 'level';
import { HealingLevel } from '../host/healing-level.js';
import type { Change } from '../host/healing-level.js';
import { equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { FORMAT_KEY, keyOf, numberIn, type RowKind } from './spool-rows.js';

/** What is sealed does not get smaller. */
const SPOOL_OPTIONS = { keyEncoding: 'view', valueEncoding: 'view', compression: false } as const;

export type Operation = Change<Uint8Array>;

/**
 * Throws `locked` when another process has the folder open, `foreign` for another writer's, `permission`,
 * `damaged`.
 */
export async function openSpoolDisk(dir: string, format: Uint8Array): Promise<SpoolDisk> {
  const db = new Level<Uint8Array, Uint8Array>(dir, SPOOL_OPTIONS);
  try {
    await db.open();
    await claim(db, dir, format);
    return new SpoolDisk(db, dir);
  } catch (error) {
    await db.close().catch(() => undefined);
    throw openFailure(dir, error);
  }
}

export class SpoolDisk {
  readonly dir: string;
  readonly #db: HealingLevel<Uint8Array>;

  constructor(db: Level<Uint8Array, Uint8Array>, dir: string) {
    this.#db = new HealingLevel(db);
    this.dir = dir;
  }

  /**
   * All or nothing; survives a crash when `sync`. Throws `full` when the disk is, `damaged` when it cannot be
   * written.
   */
  async write(operations: Operation[], sync = true): Promise<void> {
    try {
      await this.#db.write(operations, sync);
    } catch (error) {
      throw writeFailure(this.dir, error);
    }
  }

  /** Throws `damaged` when one of them is not there. */
  async read(keys: Uint8Array[]): Promise<Uint8Array[]> {
    const values = await this.#db.read((db) => db.getMany(keys));
    return values.map((value) => {
      if (value !== undefined) return value;
      throw new FirebreakError('damaged', `the spool in ${this.dir} lost an entry`);
    });
  }

  /** Undefined when there is no such row. */
  get(key: Uint8Array): Promise<Uint8Array | undefined> {
    return this.#db.read((db) => db.get(key));
  }

  /** Rows of one kind, by number. */
  async *rows(kind: RowKind): AsyncGenerator<readonly [number, Uint8Array]> {
    const range = { gte: keyOf(kind, 0), lt: Uint8Array.of(kind + 1) };
    for await (const [key, value] of this.#db.rows(range)) yield [numberIn(key), value] as const;
  }

  close(): Promise<void> {
    return this.#db.close();
  }
}

async function claim(db: Level<Uint8Array, Uint8Array>, dir: string, format: Uint8Array): Promise<void> {
  const found = await db.get(FORMAT_KEY);
  if (found !== undefined) {
    if (equalBytes(found, format)) return;
    throw new FirebreakError(
      'foreign',
      `${dir} is the spool of another writer or version: put back the key that it was begun with, or move its folder away with what waits in it`,
    );
  }
  const [other] = await db.keys({ limit: 1 }).all();
  if (other !== undefined) throw new FirebreakError('foreign', `${dir} is a database, but not a spool`);
  await db.put(FORMAT_KEY, format, { sync: true });
}

/** The error itself and what caused it, as far as they are errors. */
function causesOf(error: unknown): (Error & { readonly code?: string })[] {
  return error instanceof Error ? [error, ...causesOf(error.cause)] : [];
}

function openFailure(dir: string, error: unknown): unknown {
  if (error instanceof FirebreakError) return error;
  const causes = causesOf(error);
  const words = causes.map(({ message }) => message).join(': ');
  if (causes.some(({ code }) => code === 'LEVEL_LOCKED'))
    return new FirebreakError('locked', `${dir} is in use by another process`, { cause: error });
  if (/permission denied/i.test(words))
    return new FirebreakError('permission', `the spool in ${dir} may not be read and written by this user`, {
      cause: error,
    });
  return new FirebreakError('damaged', `the spool in ${dir} cannot be opened: ${words || String(error)}`, {
    cause: error,
  });
}

function writeFailure(dir: string, error: unknown): FirebreakError {
  const words = causesOf(error)
    .map(({ message }) => message)
    .join(': ');
  const isFull = /no space left|quota|file too large/i.test(words);
  const what = isFull
    ? 'the disk has no room left: nothing new is taken until it has'
    : words || String(error);
  return new FirebreakError(isFull ? 'full' : 'damaged', `the spool in ${dir} cannot be written: ${what}`, {
    cause: error,
  });
}
