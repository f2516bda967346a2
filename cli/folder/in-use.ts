/** Who else is on a folder that one process holds at a time, in words that say what to do. */
import { relative, sep } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import { writerOf } from '../files/status-file.js';
import { gatewayFolder } from './folder.js';
import type { DataFolder } from './folder.js';
import { callOf } from '../terminal/how-called.js';
import { findRunning } from '../files/run-files.js';

/** Commands that hold what is in a party's part of the folder, by the name of that part. */
const HOLDERS: Readonly<Record<string, readonly string[]>> = {
  authority: ['authority run', 'authority retain'],
  tracer: ['tracer run', 'trace', 'cluster'],
  gateways: ['gateway run', 'gateway refused'],
};

/** Where the part is not named as what runs in it. */
const PARTY: Readonly<Record<string, string>> = { gateways: 'gateway' };

/**
 * What opens; `locked` comes back with the commands that can hold `place`, the process where it is known, and what to do.
 * Any other error as it is.
 */
export async function orWhoHolds<T>(opening: Promise<T>, place: string, folder: DataFolder): Promise<T> {
  try {
    return await opening;
  } catch (cause) {
    if (!(cause instanceof FirebreakError) || cause.code !== 'locked') throw cause;
    throw new FirebreakError('locked', `${cause.message}: ${await whoHolds(place, folder)}`, { cause });
  }
}

/** The process that runs, where it says so. */
async function holderOf(place: string, folder: DataFolder): Promise<number | undefined> {
  const [part, name = ''] = relative(folder.dir, place).split(sep);
  if (part === 'gateways') return writerOf(gatewayFolder(folder, name).status);
  if (part !== 'authority' && part !== 'tracer') return undefined;
  return (await findRunning(folder, part).catch(() => undefined))?.pid;
}

async function whoHolds(place: string, folder: DataFolder): Promise<string> {
  const [part = ''] = relative(folder.dir, place).split(sep);
  const pid = await holderOf(place, folder);
  if (pid !== undefined)
    return `${callOf(`${PARTY[part] ?? part} run`)} runs on this folder (process ${pid}). Leave it to that one, or stop it first`;
  const holders = (HOLDERS[part] ?? ['demo']).map((one) => callOf(one)).join(' or ');
  return `${holders} is under way on this folder. Wait until it has ended, or stop it, then start again`;
}
