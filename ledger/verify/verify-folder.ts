/** Verifies an exported folder: the log in it as any log, and then that it holds nothing else. */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { HASH_LENGTH } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { bundleOf } from '../../protocol/tlog/tile.js';
import { isOfLock, UNFINISHED } from '../export/export-folder.js';
import { coveringWidth, filesOf, partialFile, type LogFile } from '../readers/log-files.js';
import { readEntries } from '../readers/log-view.js';
import { filesIn, fileOf, readerOfFolder } from '../readers/reader-folder.js';
import { verifyLog, type VerifiedSummary, type VerifyOptions } from './verify.js';

function notPartOf(path: string, dir: string, size: number): FirebreakError {
  const isLeft = isOfLock(path) || path.endsWith(UNFINISHED) || path.startsWith('tile/');
  const why = isLeft ? '; an export that runs, or was cut short, leaves such: export again' : '';
  return new FirebreakError('damaged', `${path} in ${dir} is not part of a log of ${size} entries${why}`);
}

/** A partial tile of an earlier checkpoint is the beginning of the tile as it is now. */
async function requireBeginning(dir: string, file: LogFile, size: number): Promise<void> {
  const { path, address } = file;
  const { index, width } = address;
  const reader = readerOfFolder(dir);
  const now = coveringWidth(file, size);
  const beginning =
    address.kind === 'entries'
      ? bundleOf((await readEntries(reader, index, now)).slice(0, width))
      : (await reader.tile(address.level, index, now)).subarray(0, width * HASH_LENGTH);
  if (equalBytes(await fileOf(dir, path), beginning)) return;
  throw new FirebreakError(
    'damaged',
    `${path} in ${dir} is not the beginning of its tile: remove it and export again`,
  );
}

/**
 * Verifies an exported folder, every byte of every file; a file that does not belong there is refused too.
 * Partial tiles of earlier checkpoints belong there.
 *
 * Throws as {@link verifyLog}.
 */
export async function verifyFolder(
  dir: string,
  verifier: NoteVerifier,
  options: Omit<VerifyOptions, 'payloads'> = {},
): Promise<VerifiedSummary> {
  const summary = await verifyLog(readerOfFolder(dir), verifier, options);
  const { size } = summary.checkpoint;
  const verified = new Set(['checkpoint', ...[...filesOf(size)].map(({ path }) => path)]);
  for (const path of await filesIn(dir)) {
    if (verified.has(path)) continue;
    options.signal?.throwIfAborted();
    const file = partialFile(path, size);
    if (file === undefined) throw notPartOf(path, dir, size);
    await requireBeginning(dir, file, size);
  }
  return summary;
}
