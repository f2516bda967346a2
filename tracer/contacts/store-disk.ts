/**
 * What the contact store does to its files, as a table of functions. There is one implementation; that it is
 * handed in lets tests fail any single call, before or after it took effect, with everything else real.
 */
import * as fs from 'node:fs';
import { mkdir, readdir, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { promisify } from 'node:util';
import { syncFolder } from '../../host/sync-folder.js';

const openFile = promisify(fs.open);
const closeFile = promisify(fs.close);
const readAt = promisify(fs.read);
const writeAt = promisify(fs.write);
const syncData = promisify(fs.fdatasync);
const statOf = promisify(fs.fstat);

/** Every function rejects with what node:fs throws; files are descriptors, good in every thread of the process. */
export interface StoreDisk {
  /** `r` to read, `w` to write a new file or one that is emptied, `r+` to write into one that is there. */
  open(path: string, flags: 'r' | 'w' | 'r+'): Promise<number>;
  close(fd: number): Promise<void>;
  size(fd: number): Promise<number>;
  /** Fills `bytes` from this position on; gives fewer than it holds only where the file ends. */
  read(fd: number, bytes: Uint8Array, position: number): Promise<number>;
  /** All of `bytes`. */
  write(fd: number, bytes: Uint8Array, position: number): Promise<void>;
  /** Resolves when everything written to the file is on the disk. */
  sync(fd: number): Promise<void>;
  /** The same for the names in a folder. */
  syncFolder(path: string): Promise<void>;
  /** One that is there already is no error. */
  makeFolder(path: string): Promise<void>;
  rename(from: string, to: string): Promise<void>;
  /** A file that is not there is no error. */
  remove(path: string): Promise<void>;
  list(path: string): Promise<readonly string[]>;
}

/** Node reads and writes less than 2 GiB at once. */
const MOST_AT_ONCE = 2 ** 30;

async function readWhole(fd: number, bytes: Uint8Array, position: number): Promise<number> {
  let at = 0;
  while (at < bytes.length) {
    const { bytesRead } = await readAt(
      fd,
      bytes,
      at,
      Math.min(bytes.length - at, MOST_AT_ONCE),
      position + at,
    );
    if (bytesRead === 0) break;
    at += bytesRead;
  }
  return at;
}

async function writeWhole(fd: number, bytes: Uint8Array, position: number): Promise<void> {
  for (let at = 0; at < bytes.length;)
    at += (await writeAt(fd, bytes, at, Math.min(bytes.length - at, MOST_AT_ONCE), position + at))
      .bytesWritten;
}

async function makeFolder(path: string): Promise<void> {
  const first = await mkdir(path, { recursive: true, mode: 0o700 });
  if (first !== undefined) await syncFolder(dirname(first));
}

export const NODE_STORE_DISK: StoreDisk = {
  open: (path, flags) => openFile(path, flags, 0o600),
  close: (fd) => closeFile(fd),
  size: async (fd) => (await statOf(fd)).size,
  read: readWhole,
  write: writeWhole,
  sync: (fd) => syncData(fd),
  syncFolder,
  makeFolder,
  rename,
  remove: (path) => rm(path, { force: true }),
  list: (path) => readdir(path),
};

/** Hands an open file to `use` and closes it, whatever comes. */
export async function withFile<T>(
  disk: StoreDisk,
  path: string,
  flags: 'r' | 'w' | 'r+',
  use: (fd: number) => Promise<T>,
): Promise<T> {
  const fd = await disk.open(path, flags);
  try {
    return await use(fd);
  } finally {
    await disk.close(fd);
  }
}

/** A new file, whole and on the disk when this resolves; its name is not yet, see {@link StoreDisk.syncFolder}. */
export async function putFile(disk: StoreDisk, path: string, bytes: Uint8Array): Promise<void> {
  await withFile(disk, path, 'w', async (fd) => {
    await disk.write(fd, bytes, 0);
    await disk.sync(fd);
  });
}

/** All of a file. */
export async function getFile(disk: StoreDisk, path: string): Promise<Uint8Array> {
  return withFile(disk, path, 'r', async (fd) => {
    const bytes = new Uint8Array(await disk.size(fd));
    return bytes.subarray(0, await disk.read(fd, bytes, 0));
  });
}
