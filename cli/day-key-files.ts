/**
 * Day keys as private files, one a day: authority/day-keys/<day>.key, mode 0600. Beside them, in `destroyed`, stand the days
 * whose keys are destroyed (destroyed-days.ts): a key file of such a day is refused, whoever put it there.
 */
import { readdir, readFile, rename, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { dayKeyPrints, decodeDayKeyFile, encodeDayKeyFile } from '../authority/day-key-file.js';
import type { DayKeyStore } from '../authority/day-key-store.js';
import { FirebreakError } from '../protocol/errors.js';
import type { DayKeys } from '../protocol/keys.js';
import { noteDestroyedDay, readDestroyedDays } from './destroyed-days.js';
import { requirePrivate, writePrivate } from './key-files.js';
import { removeStrayKeys } from './stray-day-keys.js';
import { wipeFile } from './wipe-file.js';

const NAME = /^(\d+)\.key$/;
const DESTROYED = 'destroyed';

/** `searched` is the folder in which copies of destroyed keys are looked for: the data folder. By default none is. */
export function dayKeyFiles(dir: string, searched?: string): DayKeyStore {
  const fileOf = (day: number) => join(dir, `${day}.key`);
  const marks = join(dir, DESTROYED);
  const isDestroyed = async (day: number) => (await readDestroyedDays(marks)).has(day);
  return {
    get: async (day) => ((await isDestroyed(day)) ? undefined : readDayKeyFile(fileOf(day), day)),
    put: async (keys) => {
      if (await isDestroyed(keys.day))
        throw new FirebreakError(
          'day',
          `the keys of day ${keys.day} are destroyed; a day has no second ones`,
        );
      await writePrivate(fileOf(keys.day), encodeDayKeyFile(keys));
    },
    setAside: (day) => rename(fileOf(day), `${fileOf(day)}.damaged`),
    list: async () => {
      const names = await namesIn(dir);
      const destroyed = await readDestroyedDays(marks);
      const days = names.map((name) => NAME.exec(name)?.[1]).filter((day) => day !== undefined);
      return days
        .map(Number)
        .filter((day) => !destroyed.has(day))
        .sort((a, b) => a - b);
    },
    destroy: async (day) => {
      // Before the keys go: a crash in between leaves a file that is refused, and removed at the next start.
      await noteDestroyedDay(marks, day, await printsOf(fileOf(day), day));
      await wipeFile(fileOf(day));
    },
    removeStray: async () =>
      searched === undefined ? [] : removeStrayKeys(searched, dir, await readDestroyedDays(marks)),
  };
}

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

/** None of a file that is not there, or is no day's keys: it goes all the same. */
async function printsOf(file: string, day: number): Promise<readonly Uint8Array[]> {
  try {
    const keys = decodeDayKeyFile(await readFile(file));
    return keys.day === day ? dayKeyPrints(keys) : [];
  } catch {
    return [];
  }
}

async function readDayKeyFile(file: string, day: number): Promise<DayKeys | undefined> {
  const there = await stat(file).catch(() => undefined);
  if (!there) return undefined;
  await requirePrivate(file);
  const bytes = await readFile(file);
  const keys = decode(file, bytes);
  bytes.fill(0); // the keys are copies
  if (keys.day === day) return keys;
  throw new FirebreakError('damaged', `${file} holds the keys of day ${keys.day}`);
}

function decode(file: string, bytes: Uint8Array): DayKeys {
  try {
    return decodeDayKeyFile(bytes);
  } catch (cause) {
    throw new FirebreakError('damaged', `${file}: ${(cause as Error).message}`, { cause });
  }
}
