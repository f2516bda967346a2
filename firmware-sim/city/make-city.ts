/** A whole city into a folder, a day at a time in each of a few threads. */
import { stat } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { dirname, resolve } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import { dayFile, requireRoom, summaryFile, writeWhole } from './city-folder.js';
import { expectedContacts, requireCity } from './city-settings.js';
import type { CitySettings } from './city-settings.js';
import { MAX_FILE_CONTACTS, writeContactFile } from './contact-file.js';
import { startDayThread } from './day-thread.js';
import type { DayThread } from './day-thread.js';
import { figuresOf } from './figures.js';
import type { CityFigures, DayFigures } from './figures.js';

const MAX_THREADS = 8;
const BYTES_PER_CONTACT = 24;
/** About twelve steps of 20 s. */
const TEXT_BYTES_PER_CONTACT = 12 * 27;

export interface CityOrder {
  readonly settings: CitySettings;
  /** An empty folder, for the city alone. */
  readonly dir: string;
  /** Also as a recording of contacts, into this file; for cities of up to two million contacts. */
  readonly contactsFile?: string | undefined;
  /** As many as there are cores when absent. What is written does not depend on it. */
  readonly threads?: number;
  readonly signal: AbortSignal;
  readonly onDay?: (done: number, contacts: number) => void;
}

/**
 * Throws `input` for settings out of bounds, `full` when there is no room, `permission`, `closed` when a thread fails, and
 * what the signal is aborted with. Days that were written stay, each whole; `city.json` is written last.
 */
export async function makeCity({ settings, dir, contactsFile, ...order }: CityOrder): Promise<CityFigures> {
  requireCity(settings);
  const expected = expectedContacts(settings);
  if (contactsFile !== undefined && expected > MAX_FILE_CONTACTS)
    throw new FirebreakError(
      'input',
      `about ${expected} contacts are too many for a file of contacts, which takes ${MAX_FILE_CONTACTS}; leave it out, or make a smaller city`,
    );
  await requireRoomForAll(dir, contactsFile, Math.ceil(1.1 * expected));
  const days = Array.from({ length: settings.days }, (_, index) => settings.firstDay + index);
  const made = await makeDays(settings, days, { dir, ...order });
  if (contactsFile !== undefined) await writeContactFile(dir, days, contactsFile, order.signal);
  const figures = figuresOf(settings, made);
  await writeWhole(
    summaryFile(dir),
    [`${JSON.stringify({ settings, figures }, undefined, 2)}\n`],
    order.signal,
  );
  return figures;
}

async function requireRoomForAll(
  dir: string,
  contactsFile: string | undefined,
  contacts: number,
): Promise<void> {
  if (contactsFile === undefined) return requireRoom('the city', dir, contacts * BYTES_PER_CONTACT);
  const beside = dirname(resolve(contactsFile));
  const textBytes = contacts * TEXT_BYTES_PER_CONTACT;
  const isOneDisk = (await stat(dir)).dev === (await stat(beside)).dev;
  await requireRoom('the city', dir, contacts * BYTES_PER_CONTACT + (isOneDisk ? textBytes : 0));
  await requireRoom('the recording', beside, textBytes);
}

/** Each thread takes the next day when its last one is on disk, so that no more days are held than there are threads. */
async function makeDays(
  settings: CitySettings,
  days: readonly number[],
  { dir, threads = availableParallelism(), signal, onDay }: Omit<CityOrder, 'settings' | 'contactsFile'>,
): Promise<readonly DayFigures[]> {
  const failed = new AbortController();
  const stop = AbortSignal.any([signal, failed.signal]);
  const made = new Map<number, DayFigures>();
  const waiting = days.values();
  let contacts = 0;
  const work = async (thread: DayThread): Promise<void> => {
    for (const day of waiting) {
      const { bytes, figures } = await thread.make(day, stop);
      await writeWhole(dayFile(dir, day), [bytes], stop);
      made.set(day, figures);
      contacts += figures.count;
      onDay?.(made.size, contacts);
    }
  };
  const running = Array.from({ length: Math.min(threads, MAX_THREADS, days.length) }, () =>
    startDayThread(settings),
  );
  await Promise.allSettled(
    running.map((thread) =>
      work(thread)
        .catch((error: unknown) => {
          failed.abort(error);
          throw error;
        })
        .finally(() => thread.end()),
    ),
  );
  signal.throwIfAborted();
  if (failed.signal.aborted) throw failed.signal.reason;
  return days.map((day) => made.get(day)).filter((figures) => figures !== undefined);
}
