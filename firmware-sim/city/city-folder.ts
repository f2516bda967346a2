/** The folder of a city: `<day>.contacts` for each day since 1970-01-01 and, once all are there, `city.json`. */
import { open, rename, rm, statfs } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { join } from 'node:path';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';

const CODES: Partial<Record<string, ErrorCode>> = {
  ENOSPC: 'full',
  EDQUOT: 'full',
  EACCES: 'permission',
  EPERM: 'permission',
  EROFS: 'permission',
};
const CHUNK_BYTES = 8 << 20;

export const dayFile = (dir: string, day: number): string => join(dir, `${day}.contacts`);
/** Its being there says that the city is whole. */
export const summaryFile = (dir: string): string => join(dir, 'city.json');

/**
 * A file that is whole or not there: written beside, synced, renamed. Throws `full`, `permission` or `input` with the name
 * of the file, and what the signal was aborted with; either way nothing half-written stays.
 */
export async function writeWhole(
  file: string,
  chunks: Iterable<Uint8Array | string> | AsyncIterable<Uint8Array | string>,
  signal: AbortSignal,
): Promise<void> {
  const temporary = `${file}.tmp`;
  try {
    const handle = await open(temporary, 'w');
    try {
      for await (const chunk of chunks)
        await writeChunk(handle, typeof chunk === 'string' ? Buffer.from(chunk) : chunk, signal);
      await handle.sync();
    } finally {
      await handle.close();
    }
    signal.throwIfAborted();
    await rename(temporary, file);
  } catch (cause) {
    await rm(temporary, { force: true });
    if (cause instanceof FirebreakError || signal.aborted) throw cause;
    const { code = '', message } = cause as NodeJS.ErrnoException;
    throw new FirebreakError(CODES[code] ?? 'input', `${file} cannot be written: ${message}`, { cause });
  }
}

async function writeChunk(handle: FileHandle, bytes: Uint8Array, signal: AbortSignal): Promise<void> {
  for (let at = 0; at < bytes.length;) {
    signal.throwIfAborted();
    at += (await handle.write(bytes, at, Math.min(CHUNK_BYTES, bytes.length - at))).bytesWritten;
  }
}

/** Throws `full` when the disk of the folder has less room than that for `what`. */
export async function requireRoom(what: string, dir: string, bytes: number): Promise<void> {
  const { bavail, bsize } = await statfs(dir);
  if (bavail * bsize >= bytes) return;
  const mib = (count: number): string => `${Math.ceil(count / 2 ** 20)} MiB`;
  throw new FirebreakError(
    'full',
    `${what} takes about ${mib(bytes)} and there are ${mib(bavail * bsize)} free for ${dir}; make room, or fewer people or days`,
  );
}
