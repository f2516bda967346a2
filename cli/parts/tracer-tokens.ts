/** The tokens of a folder's tracer: the file with their hashes, a new one, and what a running tracer knows of it. */
import { randomBytes } from 'node:crypto';
import { unwatchFile, watchFile } from 'node:fs';
import type { Stats } from 'node:fs';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdLock } from '../../host/folder-lock.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { parseTokens, tokenHash, tokenLine, tokenOf } from '../../tracer/api/tokens.js';
import type { KnownToken, Role } from '../../tracer/api/tokens.js';
import { writeAtomically } from '../atomic-file.js';
import type { DataFolder } from '../folder.js';
import { readKeyFile, requirePrivate } from '../key-files.js';

const PRIVATE = 0o600;
const TOKEN_BYTES = 32;
/** A change is seen within this time; SIGHUP is quicker. */
const LOOK_EVERY_MS = 1000;
const TITLE =
  '# Who may ask this tracer: SHA-256 of a token, roles, name. Without its line a token is worth nothing.\n';

/**
 * Makes a token, adds its hash to the file and returns the token, which is nowhere else. Throws `input` for a name that
 * cannot be recorded, `damaged` or `permission` for a file that cannot be added to, `locked` when another is being made.
 */
export async function makeToken(folder: DataFolder, name: string, role: Role): Promise<string> {
  const { dir, tokens: file } = folder.tracer;
  const token = tokenOf(new Uint8Array(randomBytes(TOKEN_BYTES)));
  const line = tokenLine(token, name, [role]);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const unlock = await holdLock(join(`${file}.lock`, 'lock'), 'another token is being made: try again');
  try {
    const text = (await tokenText(file)) ?? TITLE;
    tokensIn(file, text);
    await writeAtomically(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}`, PRIVATE);
  } finally {
    await unlock();
  }
  return token;
}

export interface WatchedTokens {
  /** As the file was when it could be read last. */
  readonly tokens: () => readonly KnownToken[];
  readonly close: () => void;
}

/**
 * The folder's own token and those of its file, which is read again when it changes and on SIGHUP. One that cannot be
 * read then is said, and who could ask before still can. Throws `damaged`, `permission` or `not-found` at the start.
 */
export async function watchTokens(folder: DataFolder, log: Log): Promise<WatchedTokens> {
  const { apiToken, tokens: file } = folder.tracer;
  const own = { sha256: tokenHash(toHex(await readKeyFile(apiToken))), bearer: OWN };
  let known = await readTokens(file);
  const readAgain = async (): Promise<void> => {
    try {
      known = await readTokens(file);
      log.info('read who may ask', { tokens: known.length });
    } catch (error) {
      const code = error instanceof FirebreakError ? error.code : 'input';
      log.error('the file of tokens cannot be read; those known before still hold', { code, file });
    }
  };
  const onChange = (): void => void readAgain();
  const onLook = (now: Stats, before: Stats): void => {
    if (now.mtimeMs !== before.mtimeMs || now.ino !== before.ino) onChange();
  };
  watchFile(file, { interval: LOOK_EVERY_MS, persistent: false }, onLook);
  process.on('SIGHUP', onChange);
  return {
    tokens: () => [own, ...known],
    close: () => {
      unwatchFile(file, onLook);
      process.off('SIGHUP', onChange);
    },
  };
}

/** Whoever can read the folder's own token asks in the name that the question gives. */
const OWN = { roles: ['officer', 'operator'] } as const;

const readTokens = async (file: string): Promise<KnownToken[]> =>
  tokensIn(file, (await tokenText(file)) ?? '');

function tokensIn(file: string, text: string): KnownToken[] {
  try {
    return parseTokens(text);
  } catch (cause) {
    throw new FirebreakError('damaged', `${file}: ${(cause as Error).message}`, { cause });
  }
}

/** Undefined when there is no such file. Throws `permission` for one that others can read. */
async function tokenText(file: string): Promise<string | undefined> {
  try {
    await requirePrivate(file);
    return await readFile(file, 'utf8');
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'not-found') return undefined;
    throw error;
  }
}
