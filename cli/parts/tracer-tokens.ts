/** The tokens of a folder's tracer: the file with their hashes, a new one, and what a running tracer knows of it. */
import { randomBytes } from 'node:crypto';
import { mkdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { holdLock } from '../../host/folder-lock.js';
import { systemReason } from '../../host/system-words.js';
import { toHex } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { parseTokens, tokenHash, tokenLine, tokenOf } from '../../tracer/api/tokens.js';
import type { KnownToken, Role } from '../../tracer/api/tokens.js';
import { writeAtomically } from '../files/atomic-file.js';
import type { DataFolder } from '../folder/folder.js';
import { readKeyFile, requirePrivate } from '../files/key-files.js';

const PRIVATE = 0o600;
const TOKEN_BYTES = 32;
/** A change is seen within this time; SIGHUP is quicker. */
const LOOK_EVERY_MS = 1000;
const TITLE =
  '# Who may ask this tracer: SHA-256 of a token, roles, name. Without its line a token is worth nothing.\n';

interface MadeToken {
  readonly token: string;
  /** How many tokens of this name there are now. */
  readonly ofName: number;
}

/**
 * Makes a token, adds its hash to the file and returns the token, which is nowhere else. Throws `input` for a name that
 * cannot be recorded, `damaged` or `permission` for a file that cannot be added to, `locked` when another is being made.
 */
export async function makeToken(folder: DataFolder, name: string, role: Role): Promise<MadeToken> {
  const { dir, tokens: file } = folder.tracer;
  const token = tokenOf(new Uint8Array(randomBytes(TOKEN_BYTES)));
  const line = tokenLine(token, name, [role]);
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const unlock = await holdLock(join(`${file}.lock`, 'lock'), 'another token is being made: try again');
  try {
    const text = (await tokenText(file)) ?? TITLE;
    const known = named(file, () => parseTokens(text));
    await writeAtomically(file, `${text}${text === '' || text.endsWith('\n') ? '' : '\n'}${line}`, PRIVATE);
    return { token, ofName: known.filter(({ bearer }) => bearer.officer === name).length + 1 };
  } finally {
    await unlock();
  }
}

export interface WatchedTokens {
  /** As each of the two files was when it could be read last. */
  readonly tokens: () => readonly KnownToken[];
  readonly close: () => void;
}

/**
 * The folder's own token and those of its file, each read again every `lookEveryMs` wall ms and at once on SIGHUP. What is read
 * anew, and what cannot be read, is said once; a file that cannot be read leaves those it held before, one that is gone leaves
 * none. Throws `damaged`, `permission` or `not-found` at the start.
 */
export async function watchTokens(
  folder: DataFolder,
  log: Log,
  lookEveryMs = LOOK_EVERY_MS,
): Promise<WatchedTokens> {
  const { apiToken, tokens: file } = folder.tracer;
  const files = [
    await openTokenFile(apiToken, async () => toHex(await readKeyFile(apiToken)), ownToken),
    await openTokenFile(file, async () => (await tokenText(file)) ?? '', parseTokens),
  ];
  const look = inTurn(() => Promise.all(files.map((one) => one.look(log))));
  const onSignal = (): void => {
    for (const one of files) one.forget();
    look();
  };
  const timer = setInterval(look, lookEveryMs).unref();
  process.on('SIGHUP', onSignal);
  return {
    tokens: () => files.flatMap((one) => one.known()),
    close: () => {
      clearInterval(timer);
      process.off('SIGHUP', onSignal);
    },
  };
}

interface TokenFile {
  readonly known: () => readonly KnownToken[];
  /** Reads it again. */
  readonly look: (log: Log) => Promise<void>;
  /** Lets the next look say what it finds, new or not. */
  readonly forget: () => void;
}

/** Its mode and its owner count like its words, and a failure may pass: it is read whether it seems changed or not. */
async function openTokenFile(
  file: string,
  read: () => Promise<string>,
  parse: (text: string) => readonly KnownToken[],
): Promise<TokenFile> {
  let known: readonly KnownToken[] = [];
  const take = async (): Promise<string> => {
    const text = await read();
    known = named(file, () => parse(text));
    return toHex(tokenHash(text));
  };
  let found: string | undefined = await take();
  const isNew = (now: string): boolean => {
    const before = found;
    found = now;
    return now !== before;
  };
  const look = async (log: Log): Promise<void> => {
    try {
      if (isNew(await take())) log.info('read who may ask', { file, tokens: known.length });
    } catch (error) {
      const code = error instanceof FirebreakError ? error.code : 'input';
      if (code === 'not-found') known = [];
      const why = error instanceof FirebreakError ? error.message : systemReason(error);
      if (isNew(why)) log.error(code === 'not-found' ? GONE : UNREADABLE, { code, file, why });
    }
  };
  return { known: () => known, look, forget: () => (found = undefined) };
}

const GONE = 'a file of tokens is gone, so that none of it holds';
const UNREADABLE = 'a file of tokens cannot be read; those known before still hold';

/** Does it, and once more when it was asked for meanwhile; never twice at a time. `work` throws nothing. */
function inTurn(work: () => Promise<unknown>): () => void {
  let isWanted = false;
  let isAtIt = false;
  const run = async (): Promise<void> => {
    isAtIt = true;
    while (isWanted) {
      isWanted = false;
      await work();
    }
    isAtIt = false;
  };
  return () => {
    isWanted = true;
    if (!isAtIt) void run();
  };
}

/** Whoever can read the folder's own token asks in the name that the question gives. */
const ownToken = (token: string): KnownToken[] => [
  { sha256: tokenHash(token), bearer: { roles: ['officer', 'operator'] } },
];

/** What `parse` gives. Throws `damaged`, naming the file. */
function named<Parsed>(file: string, parse: () => Parsed): Parsed {
  try {
    return parse();
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
