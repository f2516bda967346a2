/** A log read from a static C2SP folder: what `exportLog` writes, or any other tlog-tiles log. It holds no payloads. */
import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative, sep } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { HASH_LENGTH, MAX_ENTRY_BYTES } from '../../protocol/tlog/merkle.js';
import { noteText } from '../../protocol/tlog/note.js';
import { entriesPath, TILE_WIDTH, tilePath } from '../../protocol/tlog/tile.js';

/** A full bundle of the longest entries, each with its length before it (C2SP tlog-tiles). */
const MAX_FILE_BYTES = TILE_WIDTH * (2 + MAX_ENTRY_BYTES);

const errnoOf = (error: unknown): unknown =>
  error instanceof Error && 'code' in error ? error.code : undefined;

/**
 * The bytes at `path`. Throws `not-found`, `permission`, and `damaged` for what is larger than any file of a
 * log, or a pipe.
 */
export async function fileOf(dir: string, path: string): Promise<Uint8Array> {
  try {
    await requireReadable(dir, path);
    return await readFile(join(dir, path));
  } catch (cause) {
    if (cause instanceof FirebreakError) throw cause;
    const missing = errnoOf(cause) === 'ENOENT' || errnoOf(cause) === 'ENOTDIR';
    const why = missing ? 'is missing' : `cannot be read (${String(errnoOf(cause))})`;
    throw new FirebreakError(missing ? 'not-found' : 'permission', `${path} ${why} in ${dir}`, { cause });
  }
}

/** The folder may come from anybody: a reader is not to fill its memory, or to wait for ever. */
async function requireReadable(dir: string, path: string): Promise<void> {
  const info = await stat(join(dir, path));
  if (info.size > MAX_FILE_BYTES)
    throw new FirebreakError(
      'damaged',
      `${path} in ${dir} is over ${MAX_FILE_BYTES} bytes: it is no file of a log`,
    );
  if (!info.isFile() && !info.isDirectory())
    throw new FirebreakError('damaged', `${path} in ${dir} is no file`);
}

/** A reader of the folder; nothing is opened until it is asked for. */
export function readerOfFolder(dir: string): LedgerReader {
  return {
    checkpoint: async () => noteText(await fileOf(dir, 'checkpoint')),
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
