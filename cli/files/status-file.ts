/** What a running process last said of itself, for `… status`: a JSON file, replaced whole every second. */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { nothingWhenMissing } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import { replaceUnsynced } from './atomic-file.js';
import { parseJson, readConfig } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { isRunning, ownMark, processMark } from './process-mark.js';

const EVERY_MS = 1_000;

const statusFile = z.object({ ...processMark, wallMs: z.number(), status: z.unknown() });

/** Writes `status()` now and every second until the returned function is called, which the first time writes it a last time. */
export async function keepStatus(file: string, status: () => unknown): Promise<() => Promise<void>> {
  const mark = await ownMark();
  const write = (): Promise<void> => {
    const text = JSON.stringify({ ...mark, wallMs: Date.now(), status: status() });
    return replaceUnsynced(file, `${text}\n`, 0o600);
  };
  await write();
  let writing: Promise<void> | undefined;
  const timer = setInterval(() => {
    writing ??= write()
      .catch(() => undefined) // the next second tries again
      .finally(() => (writing = undefined));
  }, EVERY_MS);
  const end = async (): Promise<void> => {
    clearInterval(timer);
    await writing;
    await write();
  };
  let ended: Promise<void> | undefined;
  return () => (ended ??= end());
}

/** The running process that writes this status; `undefined` for none, this one, or a file that cannot be read. */
export async function writerOf(file: string): Promise<number | undefined> {
  const text = await readFile(file, 'utf8').catch(() => '');
  try {
    const { data } = statusFile.safeParse(JSON.parse(text));
    return data && data.pid !== process.pid && (await isRunning(data)) ? data.pid : undefined;
  } catch {
    return undefined;
  }
}

export interface ReadStatus<T> {
  readonly isRunning: boolean;
  /** How long ago it was written, wall ms. */
  readonly ageMs: number;
  readonly status: T;
}

/** Throws `foreign` for a folder that is none of ours, `not-found` when it never ran here, `permission` when the file may not be read, `damaged` when it does not fit. */
export async function readStatus<T>(
  folder: DataFolder,
  file: string,
  what: string,
  schema: z.ZodType<T>,
): Promise<ReadStatus<T>> {
  const text = await readFile(file, 'utf8').catch(nothingWhenMissing(file));
  if (text === undefined) {
    await readConfig(folder); // a folder that was mistyped is what is missing
    throw new FirebreakError('not-found', `${what} has not run on this folder (${file} is missing)`);
  }
  const parsed = statusFile.safeParse(parseJson(file, text));
  const status = parsed.success ? schema.safeParse(parsed.data.status) : undefined;
  if (!parsed.success || !status?.success)
    throw new FirebreakError('damaged', `${file} is not a status of this version`);
  const { wallMs, ...mark } = parsed.data;
  return { isRunning: await isRunning(mark), ageMs: Date.now() - wallMs, status: status.data };
}
