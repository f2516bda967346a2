/** A log read from a static C2SP folder: what `exportLog` writes, or any other tlog-tiles log. It holds no payloads. */
import { readdir, readFile } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { HASH_LENGTH } from '../protocol/merkle.js';
import { entriesPath, tilePath } from '../protocol/tile.js';

const errnoOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/** The bytes at `path`. Throws `not-found`, `permission`. */
export async function fileOf(dir: string, path: string): Promise<Uint8Array> {
  try {
    return await readFile(join(dir, path));
  } catch (cause) {
    const missing = errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR';
    const why = missing ? 'is missing' : `cannot be read (${String(errnoOf(cause))})`;
    throw new FirebreakError(missing ? 'not-found' : 'permission', `${path} ${why} in ${dir}`, { cause });
  }
}

/** A reader of the folder; nothing is opened until it is asked for. */
export function readerOfFolder(dir: string): LedgerReader {
  return {
    checkpoint: async () => Buffer.from(await fileOf(dir, 'checkpoint')).toString('utf8'),
    tile: async (level, index, width) => {
      const path = tilePath(level, index, width);
      const bytes = await fileOf(dir, path);
      if (bytes.length === width * HASH_LENGTH) return bytes;
      throw new FirebreakError('damaged', `${path} has ${bytes.length} bytes, not ${width * HASH_LENGTH}`);
    },
    entryBundle: (index, width) => fileOf(dir, entriesPath(index, width)),
    payloads: async (hashes) => hashes.map(() => undefined),
    close: async () => {},
  };
}

/** Paths of all files below `dir`, with forward slashes, sorted. Empty when there is no such folder. */
export async function filesIn(dir: string): Promise<string[]> {
  try {
    const found = await readdir(dir, { recursive: true, withFileTypes: true });
    return found
      .filter((entry) => !entry.isDirectory())
      .map((entry) => relative(dir, join(entry.parentPath, entry.name)).split(sep).join('/'))
      .sort();
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}
