/**
 * Writes a log as a static C2SP tlog-tiles folder, fit for a web server or an object store; the next export
 * adds what is new, and writes again what an earlier one left short. The checkpoint goes last, so that the
 * folder is a whole log at every moment. A partial tile stays, as those of each exported checkpoint must,
 * until the full one is there; then it goes.
 */
import { rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint, type Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { HASH_LENGTH, treeRoot } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import {
  EXPORT_DISK,
  ExportFolder,
  isOfLock,
  lockExport,
  UNFINISHED,
  type ExportDisk,
} from './export-folder.js';
import { coveringWidth, filesBetween, filesOf, partialFile, type LogFile } from '../readers/log-files.js';
import { fileOf, filesIn } from '../readers/reader-folder.js';

/** Files that are written at once. */
const AT_ONCE = 16;
/**
 * An entry is at least its two hashes, its source and a byte for each of the rest, with their lengths
 * (protocol.md §10).
 */
const LEAST_ENTRY_BYTES = 2 + 91;

export interface ExportSummary {
  readonly size: number;
  readonly written: number;
  readonly removed: number;
}

export interface ExportOptions {
  /** Aborted, the export ends with the signal's reason; the next one goes on. */
  readonly signal?: AbortSignal;
  readonly disk?: ExportDisk;
}

/** What an earlier export left: the bytes of its checkpoint, and that itself unless it was cut short. */
interface Earlier {
  readonly note: Uint8Array | undefined;
  readonly checkpoint: Checkpoint | undefined;
}

/** Throws `exists` for a folder of something else, and as `openCheckpoint` for one of another log. */
async function earlierExport(dir: string, verifier: NoteVerifier): Promise<Earlier> {
  const files = await filesIn(dir);
  const isOurs = (path: string): boolean =>
    path.startsWith('tile/') || isOfLock(path) || path === `checkpoint${UNFINISHED}`;
  const note = files.includes('checkpoint') ? await fileOf(dir, 'checkpoint') : undefined;
  const checkpoint = note && wholeCheckpoint(note, verifier);
  if (checkpoint || files.every((path) => isOurs(path) || (note && path === 'checkpoint')))
    return { note, checkpoint };
  throw new FirebreakError('exists', `${dir} is not empty and not an exported log: choose an empty folder`);
}

/** `undefined` for the beginning of one of this log: a power cut may leave that where it was not synced. */
function wholeCheckpoint(note: Uint8Array, verifier: NoteVerifier): Checkpoint | undefined {
  try {
    return openCheckpoint(note, verifier);
  } catch (error) {
    const text = Buffer.from(note).toString('utf8');
    const origin = `${verifier.name}\n`;
    const isCut = /^\0*$/.test(text) || text.startsWith(origin) || origin.startsWith(text);
    if (isCut && error instanceof FirebreakError && error.code === 'format') return undefined;
    throw error;
  }
}

/** The log must begin with what the folder holds. */
async function requireGrowth(
  reader: LedgerReader,
  before: Checkpoint,
  now: Checkpoint,
  dir: string,
): Promise<void> {
  const fits = before.size <= now.size;
  const root = fits ? await treeRoot(before.size, tileHashReader(reader, now.size)) : undefined;
  if (root !== undefined && equalBytes(root, before.root)) return;
  throw new FirebreakError(
    'consistency',
    `the log in ${dir} has ${before.size} entries and this one, of ${now.size}, does not continue it`,
  );
}

function contentOf(reader: LedgerReader, { address }: LogFile): Promise<Uint8Array> {
  return address.kind === 'entries'
    ? reader.entryBundle(address.index, address.width)
    : reader.tile(address.level, address.index, address.width);
}

/** Whether a file is there with a length it can have; what is in it is for `verifyFolder` to check. */
async function isThere(dir: string, { path, address }: LogFile): Promise<boolean> {
  const { size } = await stat(join(dir, path)).catch(() => ({ size: 0 }));
  return address.kind === 'entries'
    ? size >= address.width * LEAST_ENTRY_BYTES
    : size === address.width * HASH_LENGTH;
}

/** Whether the full tile is there for a partial one. */
const isReplaced = (partial: LogFile, size: number): boolean => coveringWidth(partial, size) === TILE_WIDTH;

/** Some of the files at a time: those the log grew by, and those of earlier exports that are not as they should be. */
async function* filesToWrite(dir: string, oldSize: number, newSize: number): AsyncGenerator<LogFile[]> {
  const grown = new Set([...filesBetween(oldSize, newSize)].map(({ path }) => path));
  const partial = (await filesIn(dir)).flatMap((path) => partialFile(path, newSize) ?? []);
  const current = [...filesOf(newSize)];
  const known = new Set(current.map(({ path }) => path));
  const older = partial.filter((file) => !known.has(file.path) && !isReplaced(file, newSize));
  const files = [...current, ...older];
  for (let at = 0; at < files.length; at += AT_ONCE) {
    const some = files.slice(at, at + AT_ONCE);
    const isDone = await Promise.all(some.map(async (file) => !grown.has(file.path) && isThere(dir, file)));
    yield some.filter((_, i) => !isDone[i]);
  }
}

/** Throws the first failure once no write is under way any more: then the lock may be given back. */
async function placeAll(
  folder: ExportFolder,
  reader: LedgerReader,
  files: readonly LogFile[],
): Promise<void> {
  const placing = files.map(async (file) => folder.place(file.path, await contentOf(reader, file)));
  const failed = (await Promise.allSettled(placing)).find((end) => end.status === 'rejected');
  if (failed) throw asError(failed.reason);
}

/** What is left of files that were never put in place, and partial tiles whose full one is there. */
async function removeStale(dir: string, size: number): Promise<number> {
  const stale = (await filesIn(dir)).filter((path) => {
    const file = partialFile(path, size);
    const isOver = file !== undefined && isReplaced(file, size);
    return path.startsWith('tile/') && (isOver || path.endsWith(UNFINISHED));
  });
  for (const path of stale) await rm(join(dir, path));
  for (const folder of new Set(stale.filter((path) => path.includes('.p/')).map(dirname))) {
    const left = await filesIn(join(dir, folder));
    if (left.length === 0) await rm(join(dir, folder), { recursive: true });
  }
  return stale.length;
}

/** Only an export that does not see our lock, from another machine, can have moved it. */
async function requireUnmoved(dir: string, { note }: Earlier): Promise<void> {
  const isPlaced = (await filesIn(dir)).includes('checkpoint');
  const now = isPlaced ? await fileOf(dir, 'checkpoint') : undefined;
  if (now === undefined ? note === undefined : note && equalBytes(now, note)) return;
  throw new FirebreakError('busy', `another export wrote to ${dir} meanwhile: export again`);
}

/**
 * Exports the log behind `reader` into `dir`, up to its current checkpoint.
 *
 * Throws `exists` for a folder of something else, `foreign`, `signature` or `format` for one of another log,
 * `consistency` when the log does not continue what was exported, `locked` or `busy` when another export writes there,
 * `full`, `permission` or `input` when the disk does not take it.
 */
export async function exportLog(
  reader: LedgerReader,
  dir: string,
  verifier: NoteVerifier,
  { signal, disk = EXPORT_DISK }: ExportOptions = {},
): Promise<ExportSummary> {
  await earlierExport(dir, verifier); // nothing is put into a folder of something else, not even a lock
  const unlock = await lockExport(dir);
  try {
    const earlier = await earlierExport(dir, verifier);
    const note = await reader.checkpoint();
    const now = openCheckpoint(note, verifier);
    if (earlier.checkpoint) await requireGrowth(reader, earlier.checkpoint, now, dir);
    const folder = new ExportFolder(dir, disk);
    let written = 0;
    for await (const files of filesToWrite(dir, earlier.checkpoint?.size ?? 0, now.size)) {
      signal?.throwIfAborted();
      await placeAll(folder, reader, files);
      written += files.length;
    }
    signal?.throwIfAborted();
    await folder.sync();
    await requireUnmoved(dir, earlier);
    await folder.place('checkpoint', note);
    await folder.sync();
    return { size: now.size, written, removed: await removeStale(dir, now.size) };
  } finally {
    await unlock();
  }
}
