/**
 * The folder an export writes to, held by one export at a time. A file is written beside its place and synced
 * before it is renamed, and the folders are synced before the checkpoint that names their files: after a
 * power cut there is a whole log.
 *
 *     export.lock/    held while an export runs. The lock is the one of an empty LevelDB: the kernel gives it
 *                     back when the process dies, so that no stale one is left and none is stolen
 */
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { syncFolder } from '../../host/sync-folder.js';
import { holdLock } from '../../host/folder-lock.js';
import { asError, FirebreakError, type ErrorCode } from '../../protocol/errors.js';

/** Ends in what no tile path ends in; a crash may leave one behind, the next export removes it. */
export const UNFINISHED = '.new';
const LOCK = 'export.lock';
export const isOfLock = (path: string): boolean => path.startsWith(`${LOCK}/`);

/** What an export does to its files, as a table of functions, so that tests can fail any single call. */
export interface ExportDisk {
  /** Resolves when the bytes are on the disk. */
  writeSynced(file: string, bytes: Uint8Array | string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** Resolves when the names in the folder are on the disk. */
  syncFolder(dir: string): Promise<void>;
}

export const EXPORT_DISK: ExportDisk = {
  writeSynced: async (file, bytes) => {
    const handle = await open(file, 'w');
    try {
      await handle.writeFile(bytes);
      await handle.sync();
    } finally {
      await handle.close();
    }
  },
  rename,
  syncFolder,
};

const CODES: Partial<Record<string, ErrorCode>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'permission',
  EROFS: 'permission',
};

function diskError(file: string, cause: unknown): FirebreakError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = asError(cause).message;
  const message = `${file} cannot be written (${why}): mend that and export again, the export goes on where it was`;
  return new FirebreakError(CODES[errno] ?? 'input', message, { cause });
}

/** Writes files below `dir`. */
export class ExportFolder {
  readonly #dir: string;
  readonly #disk: ExportDisk;
  /** Folders with names in them that are not synced yet. */
  readonly #changed = new Set<string>();

  constructor(dir: string, disk: ExportDisk) {
    this.#dir = dir;
    this.#disk = disk;
  }

  /** The file is there, whole, once {@link sync} has resolved as well. Throws `full`, `permission`, `input`. */
  async place(path: string, bytes: Uint8Array | string): Promise<void> {
    const file = join(this.#dir, path);
    try {
      await mkdir(dirname(file), { recursive: true });
      await this.#disk.writeSynced(file + UNFINISHED, bytes);
      await this.#disk.rename(file + UNFINISHED, file);
    } catch (cause) {
      throw diskError(file, cause);
    }
    for (let folder = dirname(path); folder !== '.'; folder = dirname(folder)) this.#changed.add(folder);
    this.#changed.add('.').add('..');
  }

  /** Resolves when all that was placed will be there after a power cut. Throws as {@link place}. */
  async sync(): Promise<void> {
    for (const folder of this.#changed) {
      const dir = join(this.#dir, folder);
      await this.#disk.syncFolder(dir).catch((cause: unknown) => {
        throw diskError(dir, cause);
      });
    }
    this.#changed.clear();
  }
}

/**
 * Holds `dir`, which is made if need be, until the function it resolves is called.
 *
 * Throws `locked` when another export writes there, `damaged` with what to remove, `permission`, `full`, `input`.
 */
export async function lockExport(dir: string): Promise<() => Promise<void>> {
  const place = join(dir, LOCK);
  await mkdir(dir, { recursive: true }).catch((cause: unknown) => {
    throw diskError(dir, cause);
  });
  const unlock = await holdLock(place, `another export writes to ${dir}: let it finish first`);
  return async () => {
    await rm(place, { recursive: true, force: true }); // while it is held, lest another's is removed
    await unlock();
  };
}
