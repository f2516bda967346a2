/**
 * Writes a log as a static C2SP tlog-tiles folder, fit for a web server or an object store; the next export adds what is
 * new. The checkpoint goes last and each file is renamed into place, so that the folder is a whole log at every moment;
 * partial tiles that a newer one replaced go after that.
 */
import { mkdir, readFile, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { equalBytes } from '../protocol/bytes.js';
import { openCheckpoint, type Checkpoint } from '../protocol/checkpoint.js';
import { FirebreakError } from '../protocol/errors.js';
import type { LedgerReader } from '../protocol/ledger-reader.js';
import { treeRoot } from '../protocol/merkle.js';
import type { NoteVerifier } from '../protocol/note.js';
import { tileHashReader } from '../protocol/tile-hash-reader.js';
import { filesBetween, filesOf, type LogFile } from './log-files.js';
import { filesIn } from './reader-folder.js';

/** Ends in what no tile path ends in; a crash may leave one behind, the next export removes it. */
const UNFINISHED = '.new';
const PARTIAL = /\.p\/\d+$/;

export interface ExportSummary {
  readonly size: number;
  readonly written: number;
  readonly removed: number;
}

async function place(dir: string, path: string, bytes: Uint8Array | string): Promise<void> {
  const target = join(dir, path);
  await mkdir(dirname(target), { recursive: true });
  await writeFile(target + UNFINISHED, bytes);
  await rename(target + UNFINISHED, target);
}

/** The checkpoint of the folder as it is; `undefined` for a new one. Throws `exists` for a folder of something else. */
async function exportedBefore(dir: string, verifier: NoteVerifier): Promise<Checkpoint | undefined> {
  const files = await filesIn(dir);
  if (files.includes('checkpoint')) return openCheckpoint(await readFile(join(dir, 'checkpoint')), verifier);
  const other = files.find((path) => !path.startsWith('tile/') && path !== `checkpoint${UNFINISHED}`);
  if (other === undefined) return undefined;
  throw new FirebreakError('exists', `${dir} is not empty and not an exported log: choose an empty folder`);
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

async function removeStale(dir: string, size: number): Promise<number> {
  const current = new Set([...filesOf(size)].map(({ path }) => path));
  const stale = (await filesIn(dir)).filter(
    (path) =>
      path.startsWith('tile/') && !current.has(path) && (PARTIAL.test(path) || path.endsWith(UNFINISHED)),
  );
  for (const path of stale) await rm(join(dir, path));
  for (const folder of new Set(stale.filter((path) => path.includes('.p/')).map(dirname))) {
    const left = await filesIn(join(dir, folder));
    if (left.length === 0) await rm(join(dir, folder), { recursive: true });
  }
  return stale.length;
}

/**
 * Exports the log behind `reader` into `dir`, up to its current checkpoint.
 *
 * Throws `exists` for a folder of something else, `foreign`, `signature` or `format` for one of another log, and
 * `consistency` when the log does not continue what was exported.
 */
export async function exportLog(
  reader: LedgerReader,
  dir: string,
  verifier: NoteVerifier,
  signal?: AbortSignal,
): Promise<ExportSummary> {
  const note = await reader.checkpoint();
  const now = openCheckpoint(note, verifier);
  const before = await exportedBefore(dir, verifier);
  if (before !== undefined) await requireGrowth(reader, before, now, dir);
  let written = 0;
  for (const file of filesBetween(before?.size ?? 0, now.size)) {
    signal?.throwIfAborted();
    await place(dir, file.path, await contentOf(reader, file));
    written += 1;
  }
  await place(dir, 'checkpoint', note);
  return { size: now.size, written, removed: await removeStale(dir, now.size) };
}
