/** Places that a person names to be written: looked at before the long work, and before anything is recorded, not after. */
import { access, constants, lstat, realpath, stat } from 'node:fs/promises';
import { basename, dirname, join, resolve, sep } from 'node:path';
import { isThere } from './is-there.js';
import { systemReason } from '../../host/system-words.js';
import { FirebreakError } from '../../protocol/errors.js';
import { existsAlready } from './atomic-file.js';
import { usage } from '../terminal/exit.js';

/** What must not be written over. */
export interface KeptFiles {
  /** The data folder, with everything in it. */
  readonly dataDir?: string | undefined;
  /** Files that are read for the answer. */
  readonly inputs?: readonly (string | undefined)[];
}

/** Throws `usage` for the name that elsewhere is standard output. */
export function requireName(path: string, what: 'file' | 'folder'): void {
  if (path === '-') throw usage(`- does not stand for standard output here: name a ${what}`);
}

/**
 * A file that may be written, also in the place of a regular file that is there: nothing else is replaced. Throws `input` where
 * it cannot be, and `usage` for a file that is also read, or is in the data folder.
 */
export async function requireWritableFile(file: string, kept: KeptFiles = {}): Promise<void> {
  requireName(file, 'file');
  const parent = dirname(resolve(file));
  if (!(await isFolder(parent)))
    throw new FirebreakError('input', `there is no folder ${parent} to write ${file} into`);
  await requireMayWriteInto(parent);
  if (await isFolder(resolve(file)))
    throw new FirebreakError('input', `${file} is a folder; name a file to write`);
  await requireApart(file, kept);
  await requireReplaceable(file);
}

/** Throws `exists` where something is at that name. */
export async function requireNew(file: string): Promise<void> {
  if (await isThere(file)) throw existsAlready(file);
}

/** Throws `usage` for a file in a folder that a command fills with files of its own; the folder need not be there yet. */
export async function requireOutside(file: string, folder: string): Promise<void> {
  const real = (path: string) => realpath(path).catch(() => path);
  const place = resolve(file);
  const inFact = join(await real(dirname(place)), basename(place));
  if (isInside(resolve(folder), place) || isInside(await real(resolve(folder)), inFact))
    throw usage(`${file} is in ${folder}, which is filled with files of its own: name a file elsewhere`);
}

async function requireMayWriteInto(parent: string): Promise<void> {
  await access(parent, constants.W_OK | constants.X_OK).catch((cause: unknown) => {
    const why = `${parent} cannot be written into: ${systemReason(cause)}`;
    throw new FirebreakError('input', `${why}; or name a file elsewhere`, { cause });
  });
}

/** The file comes by a rename, which takes away whatever has its name: a device, a pipe, or the link and not what it leads to. */
async function requireReplaceable(file: string): Promise<void> {
  const there = await lstat(resolve(file)).catch(() => undefined);
  if (there === undefined || there.isFile()) return;
  throw new FirebreakError(
    'input',
    `${file} is a device, a pipe or a link, which would be replaced: name a regular file, or one that is not there`,
  );
}

const isFolder = (path: string): Promise<boolean> =>
  stat(path).then(
    (info) => info.isDirectory(),
    () => false,
  );

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
