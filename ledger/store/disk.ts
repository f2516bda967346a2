/**
 * What the store does to its files, as a table of functions. There is one implementation; that it is handed in lets
 * tests fail any single call, before or after it took effect, with everything else real.
 */
import { closeSync, constants, fdatasync, fstatSync, ftruncateSync, openSync } from 'node:fs';
import { read, readdirSync, readSync, renameSync, unlinkSync, write, writeSync } from 'node:fs';
import { promisify } from 'node:util';
import { Level } from 'level';

const readAt = promisify(read);
const writeAt = promisify(write);
const syncData = promisify(fdatasync);

const LEVEL_OPTIONS = {
  keyEncoding: 'view',
  valueEncoding: 'view',
  compression: false,
  writeBufferSize: 64 * 1024 * 1024,
  cacheSize: 32 * 1024 * 1024,
  // A folder of many gigabytes in few enough files to keep all of them open.
  maxFileSize: 16 * 1024 * 1024,
} as const;

/** `bytes` from `offset` on, and where in a file they go. */
export interface Piece {
  readonly bytes: Buffer;
  readonly offset: number;
  readonly position: number;
}

/** Every function throws what node:fs throws; files are descriptors. */
export interface Disk {
  open(path: string, flags: number, mode?: number): number;
  close(fd: number): void;
  /** Bytes in the file. */
  size(fd: number): number;
  /** Fills `bytes` from the start of the file; gives how many bytes there were. */
  read(fd: number, bytes: Buffer): number;
  /** Reads from `position` on into `bytes`, on another thread; gives how many bytes, which may be fewer than fit. */
  readAsync(fd: number, bytes: Buffer, position: number): Promise<number>;
  /** Writes the piece, on this thread; gives how many bytes of it, which may be fewer than it has. */
  write(fd: number, piece: Piece): number;
  /** The same on another thread. */
  writeAsync(fd: number, piece: Piece): Promise<number>;
  truncate(fd: number): void;
  unlink(path: string): void;
  rename(from: string, to: string): void;
  /** Resolves when everything written to the file is on the disk. */
  sync(fd: number): Promise<void>;
  list(dir: string): readonly string[];
  /** A level database at `location`, not yet open. */
  database(location: string, options: { readonly createIfMissing: boolean }): Level<Uint8Array, Uint8Array>;
}

function readWhole(fd: number, bytes: Buffer): number {
  let at = 0;
  while (at < bytes.length) {
    const read = readSync(fd, bytes, at, bytes.length - at, at);
    if (read === 0) break;
    at += read;
  }
  return at;
}

export const NODE_DISK: Disk = {
  open: (path, flags, mode) => openSync(path, flags, mode),
  close: closeSync,
  size: (fd) => fstatSync(fd).size,
  read: readWhole,
  readAsync: async (fd, bytes, position) => (await readAt(fd, bytes, 0, bytes.length, position)).bytesRead,
  write: (fd, { bytes, offset, position }) => writeSync(fd, bytes, offset, bytes.length - offset, position),
  writeAsync: async (fd, { bytes, offset, position }) =>
    (await writeAt(fd, bytes, offset, bytes.length - offset, position)).bytesWritten,
  truncate: (fd) => ftruncateSync(fd, 0),
  unlink: unlinkSync,
  rename: renameSync,
  sync: syncData,
  list: (dir) => readdirSync(dir),
  database: (location, options) => new Level(location, { ...LEVEL_OPTIONS, ...options }),
};

/** Throws what the disk says, but for a file that is not there. */
export function openIfThere(disk: Disk, path: string, flags: number): number | undefined {
  try {
    return disk.open(path, flags);
  } catch (error) {
    if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

/** Resolves when the names of the files in a folder are on the disk: syncing a file does not do that everywhere. */
export async function syncFolder(disk: Disk, path: string): Promise<void> {
  const fd = disk.open(path, constants.O_RDONLY);
  try {
    await disk.sync(fd);
  } finally {
    disk.close(fd);
  }
}
