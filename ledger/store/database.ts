/** The level database of a ledger: opened only once the folder is known to be that ledger's, its errors as ours. */
import { mkdir, readdir } from 'node:fs/promises';
import { join } from 'node:path';
import type { Level } from 'level';
import { isThere } from '../../host/system-words.js';
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { NODE_DISK, type Disk } from './disk.js';
import { HEAD_FILE, storeLocation } from './folder.js';
import { storeDamage } from './store-damage.js';
import { FORMAT_KEY } from './store-keys.js';
import {
  decodeFormatRow,
  encodeFormatRow,
  FORMAT_VERSION,
  isKnownVersion,
  type FolderFormat,
} from './store-rows.js';
import type { StoreIdentity } from './store.js';

export type Database = Level<Uint8Array, Uint8Array>;

/** The codes abstract-level puts on an error and on its cause. */
function levelCode(error: unknown): string | undefined {
  if (!(error instanceof Error)) return undefined;
  const own = 'code' in error && typeof error.code === 'string' ? error.code : undefined;
  return levelCode(error.cause) ?? own;
}

/** The system failed to read or write, which says nothing of what is stored; a file that is gone is damage. */
function isDiskFailure(error: unknown, text: string): boolean {
  if (/no such file/i.test(text)) return false;
  const systemCode = /^E[A-Z0-9]+$/.test(levelCode(error) ?? '');
  return systemCode || levelCode(error) === 'LEVEL_IO_ERROR' || /\bIO error\b/.test(text);
}

/** An error of level or of the disk as one of ours: `locked`, `permission`, `full`, or `damaged` with what to do. */
export function storeError(error: unknown, dir: string): FirebreakError {
  if (error instanceof FirebreakError) return error;
  const text = String(error instanceof Error ? (error.cause ?? error) : error);
  if (levelCode(error) === 'LEVEL_LOCKED') {
    return new FirebreakError(
      'locked',
      `the ledger in ${dir} is open in another process: a ledger that runs (stop it, or read from it over HTTP), or a verify, ` +
        'export or proof of a stopped one (let it finish)',
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
  if (/no space left|quota exceeded|file too large/i.test(text)) {
    return new FirebreakError(
      'full',
      `the disk of the ledger's folder ${dir} is full: make room, then start again`,
      { cause: error },
    );
  }
  if (isDiskFailure(error, text)) {
    return new FirebreakError(
      'damaged',
      `the disk of the ledger's folder ${dir} failed (${text}): see to the disk, then start again; what was answered for is looked for then`,
      { cause: error },
    );
  }
  return storeDamage(`the ledger's store in ${dir} is damaged (${text})`, error);
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
  if (isThere(join(location, 'CURRENT'))) return;
  const files = isThere(location) ? await readdir(location) : [];
  const ruins = files.some((name) => /\.(ldb|log)$/.test(name));
  if (!ruins && !isThere(join(dir, HEAD_FILE))) return;
  throw storeDamage(`parts of the ledger's store in ${dir} are missing`);
}

function requireSame(found: FolderFormat, wanted: StoreIdentity, dir: string): void {
  if (!isKnownVersion(found.version)) {
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

/** An earlier program, which does not know what this one writes, refuses the folder by its version from now on. */
async function raiseVersion(db: Database, identity: StoreIdentity): Promise<void> {
  await db.batch([{ type: 'put', key: FORMAT_KEY, value: encodeFormatRow(identity) }], { sync: true });
}

export interface OpenedDatabase {
  readonly db: Database;
  /** It holds nothing yet, which only happens with `create`. */
  readonly fresh: boolean;
}

/**
 * Opens the level store of `dir`.
 *
 * Throws `not-found` without `create`, `foreign`, `locked`, `damaged`, `permission`.
 */
export async function openDatabase(
  dir: string,
  identity: StoreIdentity,
  { create, disk = NODE_DISK }: { readonly create: boolean; readonly disk?: Disk | undefined },
): Promise<OpenedDatabase> {
  const location = storeLocation(dir);
  if (!create && !isThere(location)) {
    throw new FirebreakError('not-found', `there is no ledger in ${dir}`);
  }
  await mkdir(dir, { recursive: true, mode: 0o700 });
  await requireWhole(dir, location);
  const db: Database = disk.database(location, { createIfMissing: create });
  try {
    await db.open();
    const format = await formatOf(db, dir);
    if (format !== undefined) requireSame(format, identity, dir);
    else if (!create) throw new FirebreakError('not-found', `there is no ledger in ${dir}`);
    if (format !== undefined && format.version < FORMAT_VERSION) await raiseVersion(db, identity);
    return { db, fresh: format === undefined };
  } catch (error) {
    await db.close().catch(() => undefined);
    throw storeError(error, dir);
  }
}
