/**
 * Copies of destroyed day keys, wherever they lie in a data folder: a key file that was copied back, under whatever name,
 * one cut short by a crash, or one inside another file, such as an archive that is not compressed. A copy as text, or a
 * compressed one, is not found.
 *
 * How a key file begins is no secret, and most files here hold bytes that others chose: sealed reports, spools, a tag's
 * flash. So bytes are overwritten only where the secrets themselves are, by the prints that were taken of them when they
 * were destroyed; of a day without prints only what has a key file's name in the key files' place.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DAY_KEY_FILE_LENGTH, dayKeyFileStart, provenLength } from '../authority/day-key-file.js';
import { asError } from '../protocol/errors.js';
import type { DestroyedDays } from './destroyed-days.js';
import { wipeFile, wipePart } from './wipe-file.js';

/** Larger files are not looked into: stores and flash images, which hold no keys. */
const MAX_BYTES = 1 << 20;
const NAME = /^(\d+)\.key/;

/**
 * Removes every copy under `root` of keys of these days; a copy inside another file is overwritten where it stands. Links
 * are not followed. `dir` is where the keys have their place: there a name is enough. The days of what was found. One that cannot be
 * removed keeps no other from it; throws what the file system said of the first such, in the end.
 */
export async function removeStrayKeys(
  root: string,
  dir: string,
  days: DestroyedDays,
): Promise<readonly number[]> {
  if (days.size === 0) return [];
  const found = new Set<number>();
  const failures: Error[] = [];
  const sought = [...days].map(([day, prints]) => ({ day, prints, start: dayKeyFileStart(day) }));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const named = resolve(dirname(file)) === resolve(dir) ? Number(NAME.exec(entry.name)?.[1] ?? NaN) : NaN;
    const wiped = days.has(named) ? wipeFile(file).then(() => [named]) : wipeInside(file, sought);
    await wiped.then(
      (those) => those.forEach((day) => found.add(day)),
      (error: unknown) => failures.push(asError(error)),
    );
  }
  const [first] = failures;
  if (first !== undefined) throw first;
  return [...found].sort((a, b) => a - b);
}

interface Sought {
  readonly day: number;
  readonly prints: readonly Uint8Array[];
  readonly start: Uint8Array;
}

/**
 * A file that vanishes meanwhile, as the temporary ones do, holds nothing. An empty one is not even opened: it may be the LOCK of
 * a database that this process has open, and with the closing of any descriptor of it the kernel gives the lock back (fcntl(2)).
 */
async function wipeInside(file: string, sought: readonly Sought[]): Promise<number[]> {
  const info = await stat(file).catch(() => undefined);
  if (info === undefined || info.size === 0 || info.size > MAX_BYTES) return [];
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const found: number[] = [];
  for (const { day, prints, start } of bytes.includes(MAGIC) ? sought : []) {
    for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at + 1)) {
      const proven = provenLength(bytes.subarray(at), prints);
      if (proven === 0) continue;
      found.push(day);
      if (at === 0 && bytes.length <= DAY_KEY_FILE_LENGTH) await wipeFile(file);
      else await wipePart(file, at, proven);
    }
  }
  return found;
}

const MAGIC = Buffer.from('FBDK', 'latin1');
