/** A trace on the screen, and in the files asked for. */
import { realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import type { TraceResult } from '../../tracer/trace-result.js';
import { traceCsv } from '../../tracer/trace-csv.js';
import { existsAlready, writeAtomically } from '../atomic-file.js';
import { usage } from '../exit.js';
import { traceTree } from './trace-tree.js';

export interface TraceFiles {
  readonly json?: string;
  readonly csv?: string;
  /** Never overwritten. */
  readonly evidence?: string;
}

/** What an answer must not be written over. */
export interface KeptFiles {
  /** The data folder, with everything in it. */
  readonly dataDir?: string | undefined;
  /** Files that are read for the answer. */
  readonly inputs?: readonly (string | undefined)[];
}

/**
 * Better before the long work, and before a look is recorded, than after. Throws `input`, `exists`, and `usage` for a name given
 * twice, a file that is also read, and one in the data folder.
 */
export async function requireWritable(files: TraceFiles, kept: KeptFiles = {}): Promise<void> {
  const { json, csv, evidence } = files;
  for (const file of [json, csv, evidence].filter((asked) => asked !== undefined)) {
    if (file === '-') throw usage('- does not stand for standard output here: name a file');
    const isFolder = (path: string): Promise<boolean> =>
      stat(path).then(
        (info) => info.isDirectory(),
        () => false,
      );
    const parent = dirname(resolve(file));
    if (!(await isFolder(parent)))
      throw new FirebreakError('input', `there is no folder ${parent} to write ${file} into`);
    if (await isFolder(resolve(file)))
      throw new FirebreakError('input', `${file} is a folder; name a file to write`);
    await requireApart(file, kept);
  }
  const places = [json, csv, evidence].filter((asked) => asked !== undefined).map((file) => resolve(file));
  if (new Set(places).size < places.length)
    throw usage('one file cannot take two answers: give --json, --csv and --evidence a name each');
  if (evidence !== undefined && (await stat(evidence).catch(() => undefined)) !== undefined)
    throw existsAlready(evidence);
}

/** By what the disk says of both, so that a link or another spelling of the path makes no difference. */
async function requireApart(file: string, { dataDir, inputs = [] }: KeptFiles): Promise<void> {
  const folder = dataDir === undefined ? undefined : await realpath(dataDir).catch(() => undefined);
  const place = join(await realpath(dirname(resolve(file))), basename(file));
  if (folder !== undefined && isInside(folder, place))
    throw usage(
      `${file} is in the data folder, where it could take the place of a file of the deployment: name one elsewhere`,
    );
  for (const input of inputs.filter((read) => read !== undefined))
    if (await isSameFile(file, input))
      throw usage(`${file} is read for the answer: name another file to write`);
}

const isInside = (folder: string, place: string): boolean =>
  place === folder || place.startsWith(folder.endsWith(sep) ? folder : `${folder}${sep}`);

async function isSameFile(one: string, other: string): Promise<boolean> {
  const [a, b] = await Promise.all([one, other].map((path) => stat(path).catch(() => undefined)));
  return a !== undefined && b !== undefined && a.dev === b.dev && a.ino === b.ino;
}

/** On the screen first: a file that cannot be written takes the answer from nobody. Throws `input`. */
export async function showTrace(trace: TraceResult, files: TraceFiles): Promise<void> {
  console.log(traceTree(trace));
  if (files.json !== undefined) await writeAnswer(files.json, `${JSON.stringify(trace, undefined, 2)}\n`);
  if (files.csv !== undefined) await writeAnswer(files.csv, traceCsv(trace));
}

/** A file that its owner alone reads, in the place of one of that name; the screen says so. Throws `input`. */
export async function writeAnswer(file: string, text: string): Promise<void> {
  await writeAtomically(file, text, 0o600);
  console.log(`written to ${file}`);
}
