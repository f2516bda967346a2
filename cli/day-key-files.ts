/** Day keys as private files, one a day: authority/day-keys/<day>.key, mode 0600. Destroyed is overwritten, then removed. */
import { open, readdir, readFile, rm, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { decodeDayKeyFile, encodeDayKeyFile } from '../authority/day-key-file.js';
import type { DayKeyStore } from '../authority/day-key-store.js';
import { FirebreakError } from '../protocol/errors.js';
import type { DayKeys } from '../protocol/keys.js';
import { requirePrivate, writePrivate } from './key-files.js';

const NAME = /^(\d+)\.key$/;

export function dayKeyFiles(dir: string): DayKeyStore {
  const fileOf = (day: number) => join(dir, `${day}.key`);
  return {
    get: (day) => readDayKeyFile(fileOf(day), day),
    put: (keys) => writePrivate(fileOf(keys.day), encodeDayKeyFile(keys)),
    list: async () => {
      const names = await readdir(dir).catch(() => []);
      return names.flatMap((name) => Number(NAME.exec(name)?.[1] ?? [])).sort((a, b) => a - b);
    },
    destroy: (day) => destroyFile(fileOf(day)),
  };
}

async function readDayKeyFile(file: string, day: number): Promise<DayKeys | undefined> {
  const there = await stat(file).catch(() => undefined);
  if (!there) return undefined;
  await requirePrivate(file);
  const keys = decode(file, await readFile(file));
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

async function destroyFile(file: string): Promise<void> {
  const info = await stat(file).catch(() => undefined);
  if (!info) return;
  const handle = await open(file, 'r+');
  try {
    await handle.write(new Uint8Array(info.size), 0, info.size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rm(file);
}
