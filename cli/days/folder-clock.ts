/**
 * One clock for all processes of a folder. Without `clock.json` it is the wall clock. `authority init --clock-start T
 * --clock-rate X` gives a new folder another: it reads T when set, and runs X times as fast as the wall's, for every process
 * of the folder, across restarts. (An epoch is fifteen minutes; a rehearsal can't wait.) Any other command may name the clock
 * it expects, and is refused when the folder has another: a clock that is changed under keys and a log would end their days.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';
import { liveClock } from '../../host/clock-live.js';
import type { LiveClock } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import { writeAtomically } from '../files/atomic-file.js';
import { parseJson } from '../folder/config.js';
import { fieldsOf } from '../terminal/fields.js';
import { callOf } from '../terminal/how-called.js';
import type { DataFolder } from '../folder/folder.js';

const MAX_RATE = 10_000;

const clockFile = z.strictObject({
  startMs: z.number().min(0),
  rate: z.number().positive().max(MAX_RATE),
  anchorWallMs: z.number().min(0),
});
type ClockFile = z.infer<typeof clockFile>;

export interface ClockOptions {
  /** Unix seconds. */
  readonly clockStart?: number;
  readonly clockRate?: number;
}

/** The folder's clock; changes nothing. Throws `usage` when the options name another. */
export async function openFolderClock(folder: DataFolder, options: ClockOptions = {}): Promise<LiveClock> {
  const known = await readClockFile(folder);
  requireSame(known, options, folder);
  return liveClock(known ?? {});
}

/** Sets the clock of a folder that was just made, where the options ask for one. */
export async function setNewFolderClock(folder: DataFolder, options: ClockOptions): Promise<void> {
  const { clockStart, clockRate } = options;
  if (clockStart === undefined && clockRate === undefined) return;
  await setFolderClock(folder, (clockStart ?? Date.now() / 1000) * 1000, clockRate ?? 1);
}

/** Makes the folder's clock read `startMs` now and run `rate` times as fast as the wall's. */
export async function setFolderClock(folder: DataFolder, startMs: number, rate: number): Promise<ClockFile> {
  const set: ClockFile = { startMs, rate, anchorWallMs: Date.now() };
  await writeAtomically(folder.clock, `${JSON.stringify(set)}\n`);
  return set;
}

async function readClockFile(folder: DataFolder): Promise<ClockFile | undefined> {
  const text = await readFile(folder.clock, 'utf8').catch((cause: NodeJS.ErrnoException) => {
    if (cause.code === 'ENOENT') return undefined;
    throw new FirebreakError('permission', `${folder.clock} cannot be read: ${cause.message}`, { cause });
  });
  if (text === undefined) return undefined;
  return fieldsOf(clockFile, folder.clock, parseJson(folder.clock, text));
}

function requireSame(known: ClockFile | undefined, options: ClockOptions, folder: DataFolder): void {
  const sameStart = options.clockStart === undefined || options.clockStart * 1000 === known?.startMs;
  const sameRate = options.clockRate === undefined || options.clockRate === (known?.rate ?? 1);
  if (sameStart && sameRate) return;
  const runs =
    known === undefined
      ? 'is the wall clock'
      : `was set when it was made (start ${new Date(known.startMs).toISOString()}, rate ${known.rate})`;
  throw new FirebreakError(
    'usage',
    `the clock of ${folder.dir} ${runs} and stays so for all of its processes: leave --clock-start and --clock-rate to ${callOf('authority init')}`,
  );
}
