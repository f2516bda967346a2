/** How processes of one folder find each other: a small file each under run/, written once they listen. */
import { mkdir, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import { pauseUntilStopped } from '../../host/clock-live.js';
import { nothingWhenMissing } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import { writeAtomically } from './atomic-file.js';
import { parseJson } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { callOf } from '../terminal/how-called.js';
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

/** A machine that was given its own part of a folder has none yet. */
export const makeRunFolder = async ({ run }: DataFolder): Promise<void> =>
  void (await mkdir(run, { recursive: true, mode: 0o700 }));

/** Says where this process listens, until the returned function takes it back. */
export async function announce<Name extends RunName>(
  folder: DataFolder,
  name: Name,
  facts: Omit<RunFacts<Name>, keyof ProcessMark>,
): Promise<() => Promise<void>> {
  await makeRunFolder(folder);
  await writeAtomically(
    pathOf(folder, name),
    `${JSON.stringify({ ...(await ownMark()), ...facts })}\n`,
    0o600,
  );
  return () => rm(pathOf(folder, name), { force: true });
}

/**
 * What a running process announced; `undefined` when none runs (a stale file counts as none, see process-mark.ts).
 * Throws `permission` when that may not be read, `damaged`.
 */
export async function findRunning<Name extends RunName>(
  folder: DataFolder,
  name: Name,
): Promise<RunFacts<Name> | undefined> {
  const file = pathOf(folder, name);
  const text = await readFile(file, 'utf8').catch(nothingWhenMissing(file));
  if (text === undefined) return undefined;
  const parsed = RUN_FILES[name].safeParse(parseJson(file, text));
  if (!parsed.success)
    throw new FirebreakError('damaged', `${file} does not fit; stop the ${name} and remove the file`);
  return (await isRunning(parsed.data)) ? (parsed.data as RunFacts<Name>) : undefined;
}

/** A wait this long is said. */
const SAID_AFTER_MS = 1_000;
const LOOK_EVERY_MS = 200;

export interface Waiting {
  readonly folder: DataFolder;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** As findRunning, waiting up to `waitMs` for the process to come up, and saying so, with what else can be done. Throws `unreachable`, and the reason of the signal. */
export async function waitForRunning<Name extends RunName>(
  { folder, log, signal }: Waiting,
  name: Name,
  waitMs: number,
  otherwise?: string,
): Promise<RunFacts<Name>> {
  const started = performance.now();
  let isSaid = false;
  for (;;) {
    const facts = await findRunning(folder, name);
    if (facts) return facts;
    signal.throwIfAborted();
    const waitedMs = performance.now() - started;
    if (waitedMs >= waitMs) throw notRunning(folder, name, otherwise);
    if (waitedMs >= SAID_AFTER_MS && !isSaid) {
      log.info(
        `waiting up to ${waitMs / 1000} s for ${WITH_ARTICLE[name]} on ${folder.dir}: ${startOf(folder, name, otherwise)}`,
      );
      isSaid = true;
    }
    await pauseUntilStopped(LOOK_EVERY_MS, signal);
  }
}

export function notRunning(folder: DataFolder, name: RunName, otherwise?: string): FirebreakError {
  return new FirebreakError(
    'unreachable',
    `no ${name} runs on ${folder.dir}: ${startOf(folder, name, otherwise)}`,
  );
}

const WITH_ARTICLE = { ledger: 'a ledger', authority: 'an authority', tracer: 'a tracer', air: 'an air' };

const startOf = ({ dir }: DataFolder, name: RunName, otherwise?: string): string =>
  `start one with ${callOf(`${name} run --data-dir ${dir}`)}${otherwise === undefined ? '' : `; ${otherwise}`}`;
