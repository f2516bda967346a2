/**
 * One process at a time on a folder: the lock of an empty LevelDB. The kernel gives it back when the process is gone, however
 * it went and whatever has its number now, so that no stale one keeps anybody out and none is stolen.
 */
import { mkdir, readdir, rm, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { Level } from 'level';
import { FirebreakError } from '../protocol/errors.js';

/** The file that LevelDB locks; the others beside it hold nothing. */
const LOCK_FILE = 'LOCK';

/**
 * Holds `place`, a folder for the lock alone, which is made if need be, until the function it resolves is called. A file
 * there, as earlier versions kept their process id in, is replaced; files that a power cut broke are made again.
 *
 * Throws `locked`, in the words of `inUse`, when somebody holds it; `permission`; `damaged`, with what to remove, when it cannot be
 * opened for another reason.
 */
export async function holdLock(place: string, inUse: string): Promise<() => Promise<void>> {
  try {
    await makeRoom(place);
    const lock = await opened(place).catch(async (error: unknown) => {
      if (isLocked(error)) throw error;
      await makeRoom(place);
      await clear(place);
      return opened(place);
    });
    return () => lock.close();
  } catch (cause) {
    throw isLocked(cause) ? new FirebreakError('locked', inUse, { cause }) : lockError(place, cause);
  }
}

function lockError(place: string, cause: unknown): FirebreakError {
  const why = reasonOf(cause);
  return /EACCES|EPERM|permission denied/i.test(why)
    ? new FirebreakError('permission', `${place} may not be written by this user (${why})`, { cause })
    : new FirebreakError(
        'damaged',
        `${place} cannot be opened (${why}). It holds nothing: see that the disk has room, or remove it, and start again`,
        { cause },
      );
}

async function makeRoom(place: string): Promise<void> {
  const isFile = await stat(place).then(
    (info) => info.isFile(),
    () => false,
  );
  if (isFile) await unlink(place).catch(() => undefined); // gone, or another's folder by now
  await mkdir(place, { recursive: true, mode: 0o700 });
}

async function opened(place: string): Promise<Level> {
  const lock = new Level(place);
  await lock.open();
  return lock;
}

/** Not the locked file: whoever holds that still does. */
async function clear(place: string): Promise<void> {
  for (const name of await readdir(place))
    if (name !== LOCK_FILE) await rm(join(place, name), { recursive: true, force: true });
}

function isLocked(error: unknown): boolean {
  if (!(error instanceof Error)) return false;
  return ('code' in error && error.code === 'LEVEL_LOCKED') || isLocked(error.cause);
}

function reasonOf(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return error.cause instanceof Error ? error.cause.message : error.message;
}
