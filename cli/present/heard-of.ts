/** What all statuses have in common: whether the process runs and still writes its status, and when it is well. */
import pc from 'picocolors';
import type { ReadStatus } from '../files/status-file.js';
import { duration } from '../terminal/times.js';

/** All that the first line says of a part with which nothing is wrong. */
export const WELL = pc.green('well');

/** A status is written each second; a machine may be busy. */
const SILENT_MS = 10_000;

/** Why the rest of the status is old; `undefined` when it is not. */
export function silence({ isRunning, ageMs }: Pick<ReadStatus<unknown>, 'isRunning' | 'ageMs'>) {
  const ago = `${duration(Math.max(0, ageMs) / 1000)} ago`;
  if (!isRunning) return pc.red(`not running; last seen ${ago}`);
  if (Math.abs(ageMs) <= SILENT_MS) return undefined;
  const last = ageMs > 0 ? `last heard of ${ago}` : 'not heard of since the clock here was set back';
  return pc.red(`running, but ${last}: it hangs or was halted, or cannot write to its disk`);
}

/** Whether the first line says no more than that. */
export const isWell = <Status>(read: ReadStatus<Status>, verdict: (status: Status) => string): boolean =>
  silence(read) === undefined && verdict(read.status) === WELL;
