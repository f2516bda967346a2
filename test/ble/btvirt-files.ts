/**
 * The files the emulator needs, in a cache folder: btvirt out of Debian's package bluez-test-tools, fetched and unpacked but
 * not installed, and the shim (btvirt-shim.c) built from source.
 */
import { execFile } from 'node:child_process';
import { constants } from 'node:fs';
import { access, mkdir, mkdtemp, readdir, rename, rm } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import { promisify } from 'node:util';

const run = promisify(execFile);
const PACKAGE = 'bluez-test-tools';
/** From where everything here is started: the project's root. */
const CACHE = resolve('node_modules/.cache/btvirt');
const SHIM_SOURCE = resolve('test/ble/btvirt-shim.c');
const FETCH_MS = 240_000;

/** The path of btvirt, fetched if the cache has none. Throws with the reason and what to do. */
export async function btvirtProgram(): Promise<string> {
  const installed = await firstExecutable(['/usr/bin/btvirt', join(CACHE, 'root/usr/bin/btvirt')]);
  if (installed !== undefined) return installed;
  await make(join(CACHE, 'root'), unpackPackage);
  return join(CACHE, 'root/usr/bin/btvirt');
}

/** The path of the built shim. Throws with the reason when there is no C compiler. */
export async function btvirtShim(): Promise<string> {
  const built = join(CACHE, 'shim');
  await make(built, async (folder) => {
    await tool('cc', [
      '-shared',
      '-fPIC',
      '-O1',
      '-Wall',
      '-o',
      join(folder, 'shim.so'),
      SHIM_SOURCE,
      '-ldl',
    ]);
  });
  return join(built, 'shim.so');
}

/** Makes a folder's content beside it and moves it into place whole, so that two runs at once cannot meet half of it. */
async function make(folder: string, fill: (folder: string) => Promise<void>): Promise<void> {
  if (await exists(folder)) return;
  await mkdir(CACHE, { recursive: true });
  const draft = await mkdtemp(join(CACHE, 'draft-'));
  try {
    await fill(draft);
    await rename(draft, folder);
  } catch (error) {
    await rm(draft, { recursive: true, force: true });
    if (!(await exists(folder))) throw error; // another run was first
  }
}

async function unpackPackage(folder: string): Promise<void> {
  const fetched = join(folder, 'fetched');
  await mkdir(fetched);
  await download(fetched).catch(async () => {
    await tool('apt-get', ['update', '-q']); // a machine whose package lists were never fetched
    await download(fetched);
  });
  const deb = (await readdir(fetched)).find((name) => name.endsWith('.deb'));
  if (deb === undefined) throw new Error(`apt-get download ${PACKAGE} left no file`);
  await tool('dpkg-deb', ['-x', join(fetched, deb), folder]);
  await rm(fetched, { recursive: true });
}

const download = (folder: string): Promise<void> => tool('apt-get', ['download', '-q', PACKAGE], folder);

async function tool(name: string, args: readonly string[], cwd?: string): Promise<void> {
  try {
    await run(name, args, { timeout: FETCH_MS, ...(cwd === undefined ? {} : { cwd }) });
  } catch (error) {
    const why = error instanceof Error ? error.message : String(error);
    throw new Error(`The controller emulator cannot be made ready: ${ADVICE[name] ?? name}\n${why}`, {
      cause: error,
    });
  }
}

const ADVICE: Readonly<Record<string, string>> = {
  cc: 'this kernel has no AF_ALG, so btvirt needs a shim, and there is no C compiler: apt-get install gcc libc6-dev',
  'apt-get': `Debian's package ${PACKAGE} cannot be fetched: apt-get install ${PACKAGE}`,
  'dpkg-deb': `the package ${PACKAGE} cannot be unpacked`,
};

async function firstExecutable(paths: readonly string[]): Promise<string | undefined> {
  for (const path of paths) {
    if (await exists(path, constants.X_OK)) return path;
  }
  return undefined;
}

function exists(path: string, mode = constants.F_OK): Promise<boolean> {
  return access(path, mode).then(
    () => true,
    () => false,
  );
}
