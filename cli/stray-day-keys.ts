/**
 * Copies of destroyed day keys, wherever they lie in a data folder: a key file that was copied back, under whatever name,
 * one cut short by a crash, or one inside another file, such as an archive that is not compressed. They are told by how a
 * day key file begins (authority/day-key-file.ts), so a copy as text, or a compressed one, is not found.
 */
import { readdir, readFile, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { DAY_KEY_FILE_LENGTH, dayKeyFileStart } from '../authority/day-key-file.js';
import { wipeFile, wipePart } from './wipe-file.js';

/** Larger files are not looked into: stores and flash images, which hold no keys. */
const MAX_BYTES = 1 << 20;
const NAME = /^(\d+)\.key/;

/**
 * Removes every copy under `root` of keys of these days; a copy inside another file is overwritten where it stands. Links
 * are not followed. `dir` is where the keys have their place: there a name is enough. The days of what was found.
 */
export async function removeStrayKeys(
  root: string,
  dir: string,
  days: ReadonlySet<number>,
): Promise<readonly number[]> {
  if (days.size === 0) return [];
  const found = new Set<number>();
  const starts = [...days].map((day) => ({ day, start: dayKeyFileStart(day) }));
  const entries = await readdir(root, { recursive: true, withFileTypes: true });
  for (const entry of entries.filter((one) => one.isFile())) {
    const file = join(entry.parentPath, entry.name);
    const named = resolve(dirname(file)) === resolve(dir) ? Number(NAME.exec(entry.name)?.[1] ?? NaN) : NaN;
    if (days.has(named)) {
      await wipeFile(file);
      found.add(named);
    } else for (const day of await wipeInside(file, starts)) found.add(day);
  }
  return [...found].sort((a, b) => a - b);
}

interface Start {
  readonly day: number;
  readonly start: Uint8Array;
}

/** A file that vanishes meanwhile, as the temporary ones do, holds nothing. */
async function wipeInside(file: string, starts: readonly Start[]): Promise<number[]> {
  const info = await stat(file).catch(() => undefined);
  if (info === undefined || info.size > MAX_BYTES) return [];
  const bytes = await readFile(file).catch(() => Buffer.alloc(0));
  const found: number[] = [];
  for (const { day, start } of bytes.includes(MAGIC) ? starts : []) {
    for (let at = bytes.indexOf(start); at !== -1; at = bytes.indexOf(start, at + 1)) {
      found.push(day);
      if (at > 0) await wipePart(file, at, Math.min(DAY_KEY_FILE_LENGTH, bytes.length - at));
      else {
        await wipeFile(file);
        break;
      }
    }
  }
  return found;
}

const MAGIC = Buffer.from('FBDK', 'latin1');
