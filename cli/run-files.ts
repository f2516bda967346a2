/** How processes of one folder find each other: a small file each under run/, written once they listen. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { FirebreakError } from '../protocol/errors.js';
import { writeAtomically } from './atomic-file.js';
import { parseJson } from './config.js';
import type { DataFolder } from './folder.js';
import { isRunning, ownMark, processMark } from './process-mark.js';
import type { ProcessMark } from './process-mark.js';

const ledgerRun = z.strictObject({ ...processMark, mqtt: z.string(), http: z.string() });
const authorityRun = z.strictObject({ ...processMark, http: z.string() });
const tracerRun = z.strictObject({ ...processMark, http: z.string() });
const airRun = z.strictObject({ ...processMark, socket: z.string() });

export const RUN_FILES = {
  ledger: ledgerRun,
  authority: authorityRun,
  tracer: tracerRun,
  air: airRun,
} as const;
export type RunName = keyof typeof RUN_FILES;
export type RunFacts<Name extends RunName> = z.infer<(typeof RUN_FILES)[Name]>;

const pathOf = (folder: DataFolder, name: RunName) => join(folder.run, `${name}.json`);

/** Says where this process listens, until the returned function takes it back. */
export async function announce<Name extends RunName>(
  folder: DataFolder,
  name: Name,
  facts: Omit<RunFacts<Name>, keyof ProcessMark>,
): Promise<() => Promise<void>> {
  await mkdir(folder.run, { recursive: true, mode: 0o700 });
  await writeAtomically(
    pathOf(folder, name),
    `${JSON.stringify({ ...(await ownMark()), ...facts })}\n`,
    0o600,
  );
  return () => rm(pathOf(folder, name), { force: true });
}

/** What a running process announced; `undefined` when none runs (a stale file counts as none, see process-mark.ts). */
export async function findRunning<Name extends RunName>(
  folder: DataFolder,
  name: Name,
): Promise<RunFacts<Name> | undefined> {
  const file = pathOf(folder, name);
  const text = await readFile(file, 'utf8').catch(() => undefined);
  if (text === undefined) return undefined;
  const parsed = RUN_FILES[name].safeParse(parseJson(file, text));
  if (!parsed.success)
    throw new FirebreakError('damaged', `${file} does not fit; stop the ${name} and remove the file`);
  return (await isRunning(parsed.data)) ? (parsed.data as RunFacts<Name>) : undefined;
}

/** As findRunning, waiting up to `waitMs` for the process to come up. */
export async function waitForRunning<Name extends RunName>(
  folder: DataFolder,
  name: Name,
  waitMs: number,
  signal: AbortSignal,
): Promise<RunFacts<Name>> {
  const deadline = performance.now() + waitMs;
  for (;;) {
    const facts = await findRunning(folder, name);
    if (facts) return facts;
    signal.throwIfAborted();
    if (performance.now() >= deadline) throw notRunning(folder, name);
    await new Promise((resolve) => setTimeout(resolve, 200));
  }
}

export function notRunning(folder: DataFolder, name: RunName): FirebreakError {
  return new FirebreakError(
    'unreachable',
    `no ${name} runs on ${folder.dir}: start one with firebreak ${name} run --data-dir ${folder.dir}`,
  );
}
