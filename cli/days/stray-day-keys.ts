/**
 * Copies of destroyed day keys, wherever they lie in a data folder: a key file that was copied back, under whatever name,
 * one cut short by a crash, or one inside another file, such as an archive that is not compressed. While a day's keys are
 * being destroyed they are at hand, and each of their secrets is found by itself too, also as text (secret-search.ts);
 * afterwards, as text, in small files only (printed-texts.ts). A compressed or encrypted copy is not found.
 *
 * How a key file begins is no secret, and most files here hold bytes that others chose: sealed reports, spools, a tag's
 * flash. So bytes are overwritten only where the secrets themselves are, by themselves or by the prints that were taken of
 * them; of a day without prints only what has a key file's name in the key files' place.
 *
 * Crash cases. Files that go as a whole go last, and the days' own key files after all others: until then the search can be
 * done again from them.
 */
import { open, stat } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { DAY_KEY_FILE_LENGTH, dayKeyFileStart, provenLength } from '../../authority/days/day-key-file.js';
import type { CopySearch } from '../../authority/days/day-key-store.js';
import { equalBytes } from '../../protocol/bytes.js';
import { asError } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { DestroyedDays } from './destroyed-days.js';
import { filesUnder } from '../files/files-under.js';
import { findPrinted } from './printed-texts.js';
import { LONGEST_FIND, secretSearch, type FoundSecret, type SecretSearch } from './secret-search.js';
import { wipeFile, wipeParts } from './wipe-file.js';

const PIECE_BYTES = 1 << 20;
/** What a find needs of the bytes before and after it. */
const MARGIN = Math.max(LONGEST_FIND, DAY_KEY_FILE_LENGTH);
/** Text is looked for by prints in no larger file. */
const MAX_PRINTED_BYTES = 1 << 16;
const NAME = /^(\d+)\.key/;
/** LevelDB's locks (host/folder-lock.ts): with the closing of any descriptor of one the kernel gives it back (fcntl(2)). */
const LOCK_FILE = 'LOCK';

export interface StraySearch {
  readonly root: string;
  /** Where the key files have their place: there a name is enough. */
  readonly dir: string;
  readonly days: DestroyedDays;
  /** Keys of these days that are at hand. */
  readonly keys: readonly DayKeys[];
  /** Days that are ending now: their key files in their place are no copies. */
  readonly ending: readonly number[];
  /** Ends the search, with the signal's reason; what was found so far is overwritten. */
  readonly signal: AbortSignal;
}

/**
 * Removes every copy under `root` of keys of these days, and their key files; a copy inside another file is overwritten where
 * it stands. Links are not followed. A file that cannot be read or written keeps no other from it.
 */
export async function removeStrayKeys(search: StraySearch): Promise<CopySearch> {
  if (search.days.size === 0) return { found: [], failure: undefined };
  const sweep = newSweep(search);
  try {
    for await (const { dir, name } of filesUnder(search.root, (error) => sweep.failures.push(error)))
      await lookAt(dir, name, sweep).catch((error: unknown) => {
        search.signal.throwIfAborted();
        sweep.failures.push(asError(error));
      });
  } finally {
    sweep.secrets.close();
  }
  await wipeWhole(sweep);
  return { found: [...sweep.found].sort((a, b) => a - b), failure: sweep.failures[0] };
}

interface Sweep extends StraySearch {
  readonly secrets: SecretSearch;
  readonly buffer: Buffer;
  readonly found: Set<number>;
  readonly failures: Error[];
  readonly whole: WholeFile[];
}

/** One that goes as a whole. */
interface WholeFile {
  readonly file: string;
  readonly days: readonly number[];
  /** A day's key file in its place. */
  readonly isOwn: boolean;
}

function newSweep(search: StraySearch): Sweep {
  const secrets = search.keys.flatMap(({ day, idKey, macKey, sealingSecretKey }) =>
    [idKey, macKey, sealingSecretKey].map((bytes) => ({ day, bytes })),
  );
  return {
    ...search,
    secrets: secretSearch(secrets),
    buffer: Buffer.alloc(PIECE_BYTES + 2 * MARGIN),
    found: new Set(),
    failures: [],
    whole: [],
  };
}

async function wipeWhole({ whole, ending, found, failures }: Sweep): Promise<void> {
  whole.sort((a, b) => Number(a.isOwn) - Number(b.isOwn));
  for (const { file, days, isOwn } of whole) {
    await wipeFile(file).then(
      () => days.filter((day) => !isOwn || !ending.includes(day)).forEach((day) => found.add(day)),
      (error: unknown) => failures.push(asError(error)),
    );
  }
}

/** A file that vanishes meanwhile, as the temporary ones do, holds nothing. An empty one is not even opened: it may be a lock. */
async function lookAt(dir: string, name: string, sweep: Sweep): Promise<void> {
  sweep.signal.throwIfAborted();
  const file = join(dir, name);
  const day = resolve(dir) === resolve(sweep.dir) ? Number(NAME.exec(name)?.[1] ?? NaN) : NaN;
  if (sweep.days.has(day)) {
    sweep.whole.push({ file, days: [day], isOwn: name === `${day}.key` });
    return;
  }
  if (name === LOCK_FILE) return;
  const size = await stat(file).then((info) => info.size, unlessGone(0));
  if (size > 0) await searchFile(file, size, sweep);
}

/** As much of the file as it had when it was met: it may grow faster than it is read. */
async function searchFile(file: string, size: number, sweep: Sweep): Promise<void> {
  const { buffer, signal } = sweep;
  const handle = await open(file, 'r').catch(unlessGone(undefined));
  if (handle === undefined) return;
  try {
    for (let base = 0, kept = 0, isLast = false; !isLast;) {
      signal.throwIfAborted();
      const wanted = Math.min(PIECE_BYTES, size - base - kept);
      const { bytesRead } = await handle.read(buffer, kept, wanted, base + kept);
      const piece = buffer.subarray(0, kept + bytesRead);
      isLast = bytesRead === 0 || base + piece.length >= size;
      await searchPiece(file, { piece, base, size, isLast }, sweep);
      kept = Math.min(2 * MARGIN, piece.length);
      buffer.copyWithin(0, piece.length - kept, piece.length);
      base += piece.length - kept;
    }
  } finally {
    await handle.close();
  }
}

interface Piece {
  readonly piece: Buffer;
  /** Where in the file it begins. */
  readonly base: number;
  readonly size: number;
  readonly isLast: boolean;
}

/** What begins in the last bytes of a piece is left to the next, which has them again with what follows. */
async function searchPiece(file: string, { piece, base, size, isLast }: Piece, sweep: Sweep): Promise<void> {
  const limit = isLast ? piece.length : piece.length - MARGIN;
  const found = [...keyFilesIn(piece, limit, sweep.days), ...sweep.secrets.find(piece, limit)];
  if (size <= MAX_PRINTED_BYTES) found.push(...(await findPrinted(piece, sweep.days)));
  if (found.length === 0) return;
  const days = found.map(({ day }) => day);
  if (size <= DAY_KEY_FILE_LENGTH && piece.indexOf(MAGIC) === 0 && found.some(isAtStart)) {
    sweep.whole.push({ file, days, isOwn: false });
    return;
  }
  const spans = joined(found);
  const parts = spans.map(([start, end]) => ({ at: base + start, bytes: piece.subarray(start, end) }));
  await wipeParts(file, parts);
  for (const { bytes } of parts) bytes.fill(0); // the next piece begins with some of them
  for (const day of days) sweep.found.add(day);
}

const isAtStart = ({ spans }: FoundSecret): boolean => spans[0]?.[0] === 0;

const MAGIC = Buffer.from('FBDK', 'latin1');

function* keyFilesIn(bytes: Buffer, limit: number, days: DestroyedDays): Generator<FoundSecret> {
  for (let at = bytes.indexOf(MAGIC); at !== -1 && at < limit; at = bytes.indexOf(MAGIC, at + 1)) {
    const header = bytes.subarray(at, at + HEADER_LENGTH);
    const day = header.length < HEADER_LENGTH ? NaN : header.readUInt32BE(HEADER_LENGTH - 4);
    const prints = days.get(day);
    if (prints === undefined || !equalBytes(header, dayKeyFileStart(day))) continue;
    const proven = provenLength(bytes.subarray(at), prints);
    if (proven > 0) yield { day, spans: [[at, at + proven]] };
  }
}

const HEADER_LENGTH = dayKeyFileStart(0).length;

/** The same bytes in as few spans as there can be, in their order. */
function joined(found: readonly FoundSecret[]): [number, number][] {
  const spans: [number, number][] = [];
  for (const [start, end] of found.flatMap((one) => one.spans).sort(([a], [b]) => a - b)) {
    const last = spans.at(-1);
    if (last !== undefined && start <= last[1]) last[1] = Math.max(last[1], end);
    else spans.push([start, end]);
  }
  return spans;
}

function unlessGone<T>(instead: T): (error: NodeJS.ErrnoException) => T {
  return (error) => {
    if (error.code !== 'ENOENT') throw error;
    return instead;
  };
}
