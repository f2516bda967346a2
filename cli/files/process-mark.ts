/**
 * Which process wrote a file, so that a stale file is told from a live one: its id, and on Linux when it started, because ids
 * are given again, after a restart of the machine or a container mostly the same ones. Elsewhere, and of processes that this
 * user may not look at, the id alone is compared: there a stale file counts while any process has that id.
 */
import { readFile } from 'node:fs/promises';
import { z } from 'zod';

export const processMark = {
  pid: z.int().positive(),
  /** "<boot id> <clock ticks from boot to start>", as Linux has them. */
  started: z.string().optional(),
};

export interface ProcessMark {
  readonly pid: number;
  readonly started?: string | undefined;
}

/** Of this process. */
export async function ownMark(): Promise<ProcessMark> {
  const { pid } = process;
  const started = await startOf(pid);
  return { pid, ...(started !== undefined && { started }) };
}

/** Whether the process that left the mark still runs. */
export async function isRunning({ pid, started }: ProcessMark): Promise<boolean> {
  if (!hasProcess(pid)) return false;
  const now = started === undefined ? undefined : await startOf(pid);
  return now === undefined || now === started;
}

function hasProcess(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}

/** Field 22 of /proc/PID/stat (proc_pid_stat(5)), counted behind the name, which may hold spaces and brackets itself. */
async function startOf(pid: number): Promise<string | undefined> {
  try {
    const bootId = (await readFile('/proc/sys/kernel/random/boot_id', 'latin1')).trim();
    const stat = await readFile(`/proc/${pid}/stat`, 'latin1');
    const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[22 - 3];
    return ticks === undefined ? undefined : `${bootId} ${ticks}`;
  } catch {
    return undefined;
  }
}
