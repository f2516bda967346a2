/**
 * The checkpoint that readers were shown last, cosignatures and all, beside the store (`published`): a signed
 * note. It is only kept where witnesses must cosign first; elsewhere each commit is published as it is made.
 * Replaced whole and synced before it is shown, so that what was shown once is never taken back by a restart.
 */
import { constants } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { isThere, nothingWhenMissing } from '../../host/system-words.js';
import { equalBytes } from '../../protocol/bytes.js';
import { openCheckpoint, openCheckpointNote } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { treeRoot } from '../../protocol/tlog/merkle.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { tileHashReader } from '../../protocol/tlog/tile-hash-reader.js';
import { syncFolder, type Disk } from '../store/disk.js';
import { PUBLISHED_FILE, UNPUBLISHED_FILE } from '../store/folder.js';
import { storeDamage } from '../store/store-damage.js';
import { readableNote } from './readable-note.js';

/** What readers are shown: a checkpoint, and how many entries it is of. */
export interface PublishedHead {
  readonly size: number;
  /** The signed note. */
  readonly checkpoint: string;
}

/** The log that a store holds, all of it. */
export interface HeldLog {
  readonly size: number;
  readonly reader: Pick<LedgerReader, 'tile'>;
  readonly verifier: NoteVerifier;
}

/** Behind what is wrong with the file: all that is in it is also in the store, or with the witnesses. */
export const WITHOUT_PUBLISHED =
  'Nothing of the log is lost by that: with the policy of the ledger kept, remove this file, and readers are shown nothing ' +
  'until witnesses cosign again';

const WRITE_ANEW = constants.O_WRONLY | constants.O_CREAT | constants.O_TRUNC;

const fileIn = (dir: string): string => join(dir, PUBLISHED_FILE);
const preparedIn = (dir: string): string => join(dir, UNPUBLISHED_FILE);

/**
 * What was published last; `undefined` when no witnesses were asked for. Signature lines that cannot be read
 * are left out: what is missing then is asked for again.
 *
 * Throws `damaged` when it is no checkpoint of this log, or the store does not hold the log that it is of;
 * `permission` when it cannot be read.
 */
export async function readPublished(dir: string, held: HeldLog): Promise<PublishedHead | undefined> {
  const bytes = await readFile(fileIn(dir)).catch(nothingWhenMissing(fileIn(dir)));
  return bytes && heldHead(dir, bytes, held);
}

async function heldHead(dir: string, bytes: Uint8Array, held: HeldLog): Promise<PublishedHead> {
  const { note: checkpoint, size, root } = openOwn(bytes, held.verifier, dir);
  if (size > held.size)
    throw storeDamage(
      `the ledger in ${dir} holds ${held.size} entries, ${size} were published: entries are lost`,
    );
  if (!equalBytes(await treeRoot(size, tileHashReader(held.reader, size)), root))
    throw storeDamage(`the ledger in ${dir} does not hold the ${size} entries that were published`);
  return { size, checkpoint };
}

function openOwn(bytes: Uint8Array, log: NoteVerifier, dir: string) {
  try {
    const { note } = readableNote(bytes);
    return { note, ...openCheckpoint(note, log) };
  } catch (cause) {
    const what = `${fileIn(dir)} is not a checkpoint of this log. ${WITHOUT_PUBLISHED}`;
    throw new FirebreakError('damaged', what, { cause });
  }
}

/** Resolves when the note is durable, in the file and its folder. Throws `full`, `permission` or `input`. */
export async function writePublished(disk: Disk, dir: string, note: string): Promise<void> {
  await writeBeside(disk, dir, note);
  await publishPrepared(disk, dir);
}

/** The note is durable beside its place when this resolves, and nothing is published yet. Throws `full` or `input`. */
export async function preparePublished(disk: Disk, dir: string, note: string): Promise<void> {
  await writeBeside(disk, dir, note);
  await syncFolder(disk, dir).catch((cause: unknown) => Promise.reject(notWritten(dir, cause)));
}

async function writeBeside(disk: Disk, dir: string, note: string): Promise<void> {
  try {
    const fd = disk.open(preparedIn(dir), WRITE_ANEW, 0o600);
    try {
      const bytes = Buffer.from(note, 'utf8');
      for (let at = 0; at < bytes.length;)
        at += await disk.writeAsync(fd, { bytes, offset: at, position: at });
      await disk.sync(fd);
    } finally {
      disk.close(fd);
    }
  } catch (cause) {
    throw notWritten(dir, cause);
  }
}

/** Puts what was prepared in its place, and is durable when this resolves. Throws `full` or `input`. */
export async function publishPrepared(disk: Disk, dir: string): Promise<void> {
  try {
    disk.rename(preparedIn(dir), fileIn(dir));
    await syncFolder(disk, dir);
  } catch (cause) {
    throw notWritten(dir, cause);
  }
}

/**
 * The first checkpoint of a folder that was to be witnessed, where a stop came before it was put in its place.
 * `undefined` when there is none, or none that is whole. Throws as {@link readPublished} where the store does
 * not hold it.
 */
export async function readPrepared(dir: string, held: HeldLog): Promise<PublishedHead | undefined> {
  const bytes = await readFile(preparedIn(dir)).catch(nothingWhenMissing(preparedIn(dir)));
  return bytes && isFirstOf(bytes, held.verifier) ? heldHead(dir, bytes, held) : undefined;
}

/** Publishes what {@link readPrepared} finds. Throws as that and as {@link publishPrepared}. */
export async function takePrepared(
  disk: Disk,
  dir: string,
  held: HeldLog,
): Promise<PublishedHead | undefined> {
  const head = await readPrepared(dir, held);
  if (head) await publishPrepared(disk, dir);
  return head;
}

/** Whether it is a whole checkpoint of this log with no signature but the log's: all but a folder's first are cosigned. */
export function isFirstOf(note: Uint8Array, log: NoteVerifier): boolean {
  try {
    return openCheckpointNote(note, log).note.unverified.length === 0;
  } catch (error) {
    if (error instanceof FirebreakError) return false;
    throw error;
  }
}

function notWritten(dir: string, cause: unknown): FirebreakError {
  const { code, message } = cause as NodeJS.ErrnoException;
  const full = code === 'ENOSPC' || code === 'EDQUOT';
  return new FirebreakError(full ? 'full' : 'input', `${fileIn(dir)} cannot be written: ${message}`, {
    cause,
  });
}

/** From now on each commit is published at once. */
export async function removePublished(disk: Disk, dir: string): Promise<void> {
  if (isThere(fileIn(dir))) disk.unlink(fileIn(dir));
  await syncFolder(disk, dir);
}
