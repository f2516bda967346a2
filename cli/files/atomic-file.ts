/**
 * Files that are either the old or the new whole: written beside, synced, renamed into place. Throws `input` for one that
 * cannot be written, and `unconfirmed` for one that is in place but may not be after a power cut.
 */
import { link, open, rename, rm, writeFile } from 'node:fs/promises';
import { dirname } from 'node:path';
import { isThere } from './is-there.js';
import { syncFolder } from '../../host/sync-folder.js';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';

export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  await writeBeside(file, content, mode, (temporary) => rename(temporary, file));
}

/**
 * The same for readers, but not synced: for what is replaced every second and means nothing after a crash. Two syncs a second
 * would wear out the memory card that a gateway or tag runs from.
 */
export async function replaceUnsynced(file: string, content: string, mode: number): Promise<void> {
  const temporary = temporaryOf(file);
  try {
    await writeFile(temporary, content, { mode });
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    throw notWritten(file, cause);
  }
}

/** A file that was not there before, whole or not at all. Throws `exists`, leaving what is there as it is. */
export async function writeNew(file: string, content: string | Uint8Array, mode = 0o644): Promise<void> {
  await writeBeside(file, content, mode, async (temporary) => {
    await claimName(temporary, file);
    await rm(temporary, { force: true });
  });
}

/** A second name for the temporary file fails where there is one already; not every file system has second names. */
async function claimName(temporary: string, file: string): Promise<void> {
  await link(temporary, file).catch(async (cause: NodeJS.ErrnoException) => {
    const taken = cause.code === 'EEXIST' || (await isThere(file));
    if (taken) throw existsAlready(file, cause);
    await rename(temporary, file);
  });
}

export const existsAlready = (file: string, cause?: unknown) =>
  new FirebreakError('exists', `${file} is there already; it is left as it was`, { cause });

async function writeBeside(
  file: string,
  content: string | Uint8Array,
  mode: number,
  putInPlace: (temporary: string) => Promise<void>,
): Promise<void> {
  const temporary = temporaryOf(file);
  let isInPlace = false;
  try {
    const handle = await open(temporary, 'w', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await putInPlace(temporary);
    isInPlace = true;
    await syncFolder(dirname(file));
  } catch (cause) {
    await rm(temporary, { force: true }).catch(() => undefined); // why it was not written is what counts
    if (cause instanceof FirebreakError) throw cause;
    if (isInPlace) throw notSynced(file, cause);
    throw notWritten(file, cause);
  }
}

const temporaryOf = (file: string): string => `${file}.${process.pid}.tmp`;

const notWritten = (file: string, cause: unknown): FirebreakError =>
  new FirebreakError('input', `${file} cannot be written: ${systemReason(cause)}`, { cause });

const notSynced = (file: string, cause: unknown): FirebreakError =>
  new FirebreakError(
    'unconfirmed',
    `${file} is written, but may be lost in a power cut: its folder cannot be synced: ${systemReason(cause)}`,
    { cause },
  );
