/**
 * Day keys as private files, one a day: authority/day-keys/<day>.key, mode 0600. Beside them, in `destroyed`, stand the days
 * whose keys are destroyed (destroyed-days.ts): a key file of such a day is refused, whoever put it there.
 */
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dayKeyPrints, decodeDayKeyFile, encodeDayKeyFile } from '../../authority/days/day-key-file.js';
import type { CopySearch, DayKeyStore } from '../../authority/days/day-key-store.js';
import { nothingWhenMissing } from '../../host/system-words.js';
import { equalBytes } from '../../protocol/bytes.js';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { wipeKeys, type DayKeys } from '../../protocol/keys.js';
import { noteDestroyedDay, readDestroyedDays, type DestroyedDays } from './destroyed-days.js';
import { requirePrivate, writePrivate } from '../files/key-files.js';
import { removeStrayKeys, type StraySearch } from './stray-day-keys.js';
import { wipeFile } from './wipe-file.js';

const NAME = /^(\d+)\.key$/;
const DESTROYED = 'destroyed';

/** `searched` is the folder in which copies of destroyed keys are looked for: the data folder. By default none is. */
export function dayKeyFiles(dir: string, searched?: string): DayKeyStore {
  const fileOf = (day: number) => join(dir, `${day}.key`);
  const marks = join(dir, DESTROYED);
  const search = async (asked: Pick<StraySearch, 'ending' | 'signal'>): Promise<CopySearch> =>
    searched === undefined
      ? { found: [], failure: undefined }
      : searchFor(await readDestroyedDays(marks), fileOf, { ...asked, root: searched, dir });
  const isDestroyed = async (day: number) => (await readDestroyedDays(marks)).has(day);
  return {
    get: async (day) => ((await isDestroyed(day)) ? undefined : readDayKeyFile(fileOf(day), day)),
    put: async (keys) => {
      if (await isDestroyed(keys.day))
        throw new FirebreakError(
          'day',
          `the keys of day ${keys.day} are destroyed; a day has no second ones`,
        );
      const bytes = encodeDayKeyFile(keys);
      await writePrivate(fileOf(keys.day), bytes).finally(() => bytes.fill(0));
    },
    setAside: (day) => rename(fileOf(day), `${fileOf(day)}.damaged`),
    list: async () => {
      const names = await namesIn(dir);
      const destroyed = await readDestroyedDays(marks);
      const days = names.map((name) => NAME.exec(name)?.[1]).filter((day) => day !== undefined);
      const left = days.map(Number).filter((day) => !destroyed.has(day));
      return left.sort((a, b) => a - b);
    },
    whyUnread: (day) => whyUnread(fileOf(day), day),
    destroy: async (days) => {
      const { ending, failure } = await noteEnding(days, marks, fileOf);
      if (failure !== undefined && ending.length === 0) throw failure; // the search takes its time, and rounds come often
      const copies = await search({ ending, signal: never });
      for (const day of ending) await wipeFile(fileOf(day)); // throws what kept it from going
      if (failure !== undefined) throw failure;
      return copies;
    },
    removeStray: (signal) => search({ ending: [], signal }),
  };
}

/**
 * Before the keys go: a crash from here on leaves a file that is refused, and removed at the next start. A day whose file
 * cannot be read now does not end yet, and keeps no other from it: without its prints no copy of its keys would be known.
 */
async function noteEnding(
  days: readonly number[],
  marks: string,
  fileOf: (day: number) => string,
): Promise<{ readonly ending: readonly number[]; readonly failure: Error | undefined }> {
  const ending: number[] = [];
  let failure: Error | undefined;
  for (const day of days) {
    try {
      await noteDestroyedDay(marks, day, await printsOf(fileOf(day), day));
      ending.push(day);
    } catch (error) {
      failure ??= asError(error);
    }
  }
  return { ending, failure };
}

/**
 * With the keys at hand whose files have not gone yet: of days that are ending, and of those that a crash kept from it. One of
 * the latter whose file cannot be read now waits for another search, as does its file: only with the keys is every copy found.
 */
async function searchFor(
  days: DestroyedDays,
  fileOf: (day: number) => string,
  where: Omit<StraySearch, 'days' | 'keys'>,
): Promise<CopySearch> {
  const keys: DayKeys[] = [];
  const searched = new Map(days);
  let unread: Error | undefined;
  try {
    for (const [day, prints] of days) {
      const left = await keysLeft(fileOf(day), day, prints).catch((error: unknown) => {
        if (where.ending.includes(day)) throw error;
        unread ??= asError(error);
        searched.delete(day);
        return [];
      });
      keys.push(...left);
    }
    const { found, failure } = await removeStrayKeys({ ...where, days: searched, keys });
    return { found, failure: unread ?? failure };
  } finally {
    wipeKeys(keys);
  }
}

const never = new AbortController().signal;

/** None of a folder that is not there: one that cannot be read may hold keys. Throws `permission`. */
async function namesIn(dir: string): Promise<readonly string[]> {
  try {
    return await readdir(dir);
  } catch (error) {
    const cause = error as NodeJS.ErrnoException;
    if (cause.code === 'ENOENT') return [];
    const problem = `the day keys in ${dir} cannot be listed (${cause.message}): see who may read that folder`;
    throw new FirebreakError('permission', problem, { cause });
  }
}

/** None of a file that is not there, or is no day's keys: it goes all the same. Throws as {@link wholeKeys}. */
async function printsOf(file: string, day: number): Promise<readonly Uint8Array[]> {
  const keys = await wholeKeys(file, day);
  const prints = keys ? dayKeyPrints(keys) : [];
  wipeKeys(keys ? [keys] : []);
  return prints;
}

/** The keys of a destroyed day whose file has not gone yet; none of a file that somebody else's are in. */
async function keysLeft(file: string, day: number, prints: readonly Uint8Array[]): Promise<DayKeys[]> {
  const keys = await wholeKeys(file, day);
  if (keys === undefined) return [];
  if (dayKeyPrints(keys).every((print, i) => equalBytes(print, prints[i] ?? print))) return [keys];
  wipeKeys([keys]);
  return [];
}

async function whyUnread(file: string, day: number): Promise<Error | undefined> {
  try {
    const keys = await wholeKeys(file, day);
    wipeKeys(keys ? [keys] : []);
    return undefined;
  } catch (error) {
    return asError(error);
  }
}

/** `undefined` for a file that is not there or is damaged. Throws `permission` for one that cannot be read now. */
async function wholeKeys(file: string, day: number): Promise<DayKeys | undefined> {
  const bytes = await readFile(file).catch(nothingWhenMissing(file));
  try {
    const keys = bytes && decodeDayKeyFile(bytes);
    if (keys?.day === day) return keys;
    wipeKeys(keys ? [keys] : []);
    return undefined;
  } catch {
    return undefined;
  } finally {
    bytes?.fill(0); // the keys are copies
  }
}

async function readDayKeyFile(file: string, day: number): Promise<DayKeys | undefined> {
  const there = await stat(file).catch(() => undefined);
  if (!there) return undefined;
  await requirePrivate(file);
  const bytes = await readFile(file);
  const keys = decode(file, bytes);
  if (keys.day === day) return keys;
  wipeKeys([keys]);
  throw new FirebreakError('damaged', `${file} holds the keys of day ${keys.day}`);
}

/** Wipes the bytes. Throws `damaged`, naming the file. */
function decode(file: string, bytes: Uint8Array): DayKeys {
  try {
    return decodeDayKeyFile(bytes);
  } catch (cause) {
    throw new FirebreakError('damaged', `${file}: ${(cause as Error).message}`, { cause });
  } finally {
    bytes.fill(0); // the keys are copies
  }
}
