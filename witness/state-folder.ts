/**
 * The state of a witness as a folder, a file for each log, each the old or the new one whole:
 *
 *     <SHA-256 of the origin in hex>    "firebreak witness state 1" newline || origin newline || newline || note, or nothing
 *     forks/<log>-<size>-<hash>         checkpoints that contradict each other, to be shown to people
 *     lock/                             held by the one witness that runs on the folder
 *
 * A file is written beside its place and synced, renamed, and the folder synced, before `save` resolves; it is begun so too,
 * and so are forks kept.
 * The lock is the kernel's, which gives it back when the process dies.
 */
import { randomUUID } from 'node:crypto';
import { link, mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { holdLock } from '../host/folder-lock.js';
import { syncFolder } from '../host/sync-folder.js';
import { toHex } from '../protocol/bytes.js';
import { FirebreakError, type ErrorCode } from '../protocol/errors.js';
import { sha256 } from '../protocol/crypto/hash.js';
import type { WitnessState } from './state.js';

const HEADER = 'firebreak witness state 1';
/** A crash may leave such a file behind; it is no state, and goes when the state is begun. */
const BEGUN = '.begin';
/** A file on its way to its place; a crash may leave one behind too. */
const BESIDE = '.new';
const FORKS = 'forks';
/** Of one log: whoever has its key can make more of them, which are not to take the place of another log's. */
const MAX_FORK_FILES = 64;
/** Hex digits of a hash in a name. */
const SHORT = 16;

const hexOf = (text: string): string => toHex(sha256(Buffer.from(text, 'utf8')));
const contentOf = (origin: string, note: string): string => `${HEADER}\n${origin}\n\n${note}`;

const CODES: Partial<Record<string, ErrorCode>> = { ENOSPC: 'full', EDQUOT: 'full', EACCES: 'permission' };

function fileError(file: string, cause: unknown): FirebreakError {
  const errno = cause instanceof Error && 'code' in cause ? String(cause.code) : '';
  const why = cause instanceof Error ? cause.message : String(cause);
  return new FirebreakError(CODES[errno] ?? 'input', `${file} cannot be used: ${why}`, { cause });
}

async function writeSynced(file: string, content: string, flag: 'w' | 'wx'): Promise<void> {
  const handle = await open(file, flag, 0o600);
  try {
    await handle.writeFile(content, 'utf8');
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Whole or not at all, and on disk when this resolves. Throws `full`, `permission`, `input`. */
async function replaceFile(file: string, content: string): Promise<void> {
  try {
    await writeSynced(`${file}${BESIDE}`, content, 'w');
    await rename(`${file}${BESIDE}`, file);
    await syncFolder(dirname(file));
  } catch (cause) {
    throw fileError(file, cause);
  }
}

/** What is there already stays, unless it was cut short. Throws `full`, `permission`, `input`. */
async function keepForked(dir: string, note: string): Promise<void> {
  const [text = ''] = note.split('\n\n', 1);
  const [origin = '', size = ''] = text.split('\n');
  const ofLog = `${hexOf(origin).slice(0, SHORT)}-`;
  const file = join(dir, `${ofLog}${size.slice(0, SHORT)}-${hexOf(text).slice(0, SHORT)}`);
  const kept = await readFile(file, 'utf8').catch(() => undefined);
  if (kept?.startsWith(`${text}\n\n— `) && kept.endsWith('\n')) return;
  const ofSameLog = (await readdir(dir)).filter((name) => name.startsWith(ofLog));
  if (kept === undefined && ofSameLog.length >= MAX_FORK_FILES)
    throw new FirebreakError(
      'full',
      `${dir} has ${MAX_FORK_FILES} files of ${origin} already, and is given no more`,
    );
  await replaceFile(file, note);
}

async function removeUnfinished(dir: string): Promise<void> {
  for (const name of await readdir(dir)) if (name.endsWith(BESIDE)) await rm(join(dir, name));
}

/** Throws `not-found`, `damaged`, `input` or `permission`. */
async function readState(dir: string, origin: string): Promise<string | undefined> {
  const file = join(dir, hexOf(origin));
  const text = await readFile(file, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code !== 'ENOENT') throw fileError(file, cause);
    throw new FirebreakError(
      'not-found',
      `${file} is missing: what this witness cosigned for ${origin} is lost. It must not go on with this key, it could ` +
        'cosign a second view: make a new witness, and tell those who relied on this one',
      { cause },
    );
  });
  const start = contentOf(origin, '');
  if (!text.startsWith(start)) throw new FirebreakError('damaged', `${file} is not the state of a witness`);
  return text.length === start.length ? undefined : text.slice(start.length);
}

/**
 * Begins the state of a log that is trusted from now on; nothing changes when it was begun before. Tells whether it is new.
 *
 * Throws `full`, `permission`, `input`.
 */
export async function beginState(dir: string, origin: string): Promise<boolean> {
  const file = join(dir, hexOf(origin));
  const beside = `${file}.${randomUUID()}${BEGUN}`;
  try {
    await mkdir(dir, { recursive: true, mode: 0o700 });
    await writeSynced(beside, contentOf(origin, ''), 'w');
    const isNew = await claimName(beside, file);
    for (const name of await readdir(dir))
      if (name.startsWith(hexOf(origin)) && name.endsWith(BEGUN)) await rm(join(dir, name), { force: true });
    await syncFolder(dir);
    return isNew;
  } catch (cause) {
    throw fileError(file, cause);
  }
}

/** Whole or not at all, and never over what is there: a second name fails then. Not every file system has second names. */
async function claimName(beside: string, file: string): Promise<boolean> {
  try {
    await link(beside, file);
    return true;
  } catch {
    const isThere = (await stat(file).catch(() => undefined)) !== undefined;
    if (!isThere) await rename(beside, file);
    return !isThere;
  }
}

/** The note last cosigned for a log, while the witness may be running. Throws as {@link WitnessState.load}. */
export function lookAtState(dir: string, origin: string): Promise<string | undefined> {
  return readState(dir, origin);
}

class StateFolder implements WitnessState {
  readonly #dir: string;
  readonly #unlock: () => Promise<void>;

  constructor(dir: string, unlock: () => Promise<void>) {
    this.#dir = dir;
    this.#unlock = unlock;
  }

  load(origin: string): Promise<string | undefined> {
    return readState(this.#dir, origin);
  }

  save(origin: string, note: string): Promise<void> {
    return replaceFile(join(this.#dir, hexOf(origin)), contentOf(origin, note));
  }

  async keepFork(notes: readonly string[]): Promise<void> {
    const dir = join(this.#dir, FORKS);
    try {
      await mkdir(dir, { recursive: true, mode: 0o700 });
      await syncFolder(this.#dir);
    } catch (cause) {
      throw fileError(dir, cause);
    }
    for (const note of notes) await keepForked(dir, note);
  }

  async close(): Promise<void> {
    await this.#unlock();
  }
}

/**
 * Opens the state in `dir`, for the one witness that may run on it.
 *
 * Throws `locked` when another does, `not-found` when there is no such folder, `damaged`, `permission`, `full`.
 */
export async function openStateFolder(dir: string): Promise<WitnessState> {
  await stat(dir).catch((cause: unknown) => {
    throw new FirebreakError('not-found', `there is no state of a witness in ${dir}`, { cause });
  });
  const unlock = await holdLock(join(dir, 'lock'), `another witness runs on ${dir}: stop it first`);
  try {
    await removeUnfinished(dir);
    if ((await readdir(dir)).includes(FORKS)) await removeUnfinished(join(dir, FORKS));
    return new StateFolder(dir, unlock);
  } catch (error) {
    await unlock();
    throw fileError(dir, error);
  }
}
