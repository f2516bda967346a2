/** Opening a ledger's folder: finds out what it is before anything is read from it or written to it. */
import { existsSync } from 'node:fs';
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { FORMAT_KEY } from './store-keys.js';
import { decodeFormatRow, FORMAT_VERSION, type FolderFormat } from './store-rows.js';
import type { StoreIdentity } from './store.js';

export type Database = Level<Uint8Array, Uint8Array>;

const OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  compression: false,
  writeBufferSize: 64 * 1024 * 1024,
  cacheSize: 32 * 1024 * 1024,
  // A folder of many gigabytes in few enough files to keep all of them open.
  maxFileSize: 16 * 1024 * 1024,
} as const;

/** Where the database of the ledger in `dir` is. */
export const storeLocation = (dir: string): string => join(dir, 'store');

/** The codes abstract-level puts on an error and on its cause. */
function levelCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return levelCode(error.cause) ?? own;
}

/** An error of level as one of ours: `locked`, `damaged`, or `permission`/`full` for what the disk says. */
export function storeError(error: unknown, dir: string): FirebreakError {
  if (error instanceof FirebreakError) return error;
  const text = String(error instanceof Error ? (error.cause ?? error) : error);
  if (levelCode(error) === 'LEVEL_LOCKED') {
    return new FirebreakError(
      'locked',
      `another ledger is running on ${dir}: stop it first, or read from it over HTTP`,
      { cause: error },
    );
  }
  if (/permission denied/i.test(text)) {
    return new FirebreakError(
      'permission',
      `the ledger's folder ${dir} may not be read and written by this user`,
      { cause: error },
    );
  }
  if (/no space left/i.test(text)) {
    return new FirebreakError(
      'full',
      `the disk of the ledger's folder ${dir} is full: make room, then start again`,
      { cause: error },
    );
  }
  return new FirebreakError(
    'damaged',
    `the ledger's store in ${dir} is damaged (${text}): restore the folder from a copy`,
    { cause: error },
  );
}

async function formatOf(db: Database, dir: string): Promise<FolderFormat | undefined> {
  const row: Uint8Array | undefined = await db.get(FORMAT_KEY);
  const anything = await db.keys({ limit: 1 }).all();
  if (row === undefined && anything.length === 0) return undefined;
  try {
    return decodeFormatRow(row ?? new Uint8Array(0));
  } catch (cause) {
    throw new FirebreakError('foreign', `${dir} holds a store that is not a ledger's`, { cause });
  }
}

/** LevelDB would make a new store over the ruins of one. One that was killed while it was made holds no data files. */
async function requireWhole(dir: string, location: string): Promise<void> {
  if (existsSync(join(location, 'CURRENT'))) return;
  const files = existsSync(location) ? await readdir(location) : [];
  const ruins = files.some((name) => /\.(ldb|log)$/.test(name));
  if (!ruins && !existsSync(join(dir, 'head'))) return;
  throw new FirebreakError(
    'damaged',
    `parts of the ledger's store in ${dir} are missing: restore the folder from a copy`,
  );
}

function requireSame(found: FolderFormat, wanted: StoreIdentity, dir: string): void {
  if (found.version !== FORMAT_VERSION) {
    throw new FirebreakError(
      'foreign',
      `${dir} has format ${found.version} and this program knows format ${FORMAT_VERSION}: use the version that wrote it`,
    );
  }
  if (found.origin !== wanted.origin) {
    throw new FirebreakError('foreign', `${dir} is the ledger of ${found.origin}, not of ${wanted.origin}`);
  }
  if (!equalBytes(found.logPublicKey, wanted.logPublicKey)) {
    throw new FirebreakError(
      'foreign',
      `${dir} is a ledger signed by another log key than the one configured`,
    );
  }
}

/**
 * Opens the level store of `dir`. `fresh` is true when it holds nothing yet, which only happens with `create`.
 *
 * Throws `not-found` without `create`, `foreign`, `locked`, `damaged`, `permission`.
 */
export async function openDatabase(
  dir: string,
  identity: StoreIdentity,
  { create }: { readonly create: boolean },
): Promise<{ readonly db: Database; readonly fresh: boolean }> {
  const location = storeLocation(dir);
  if (!create && !existsSync(location)) {
    throw new FirebreakError('not-found', `there is no ledger in ${dir}`);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await requireWhole(dir, location);
  const db: Database = new Level(location, { ...OPTIONS, createIfMissing: create });
  try {
    await db.open();
    const format = await formatOf(db, dir);
    if (format !== undefined) requireSame(format, identity, dir);
    else if (!create) throw new FirebreakError('not-found', `there is no ledger in ${dir}`);
    return { db, fresh: format === undefined };
  } catch (error) {
    await db.close().catch(() => undefined);
    throw storeError(error, dir);
  }
}
