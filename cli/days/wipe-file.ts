/**
 * Secrets leave the disk: overwritten and synced, then removed, and the folder synced. That is as much as a program can do:
 * a copy-on-write file system, a flash disk that moves its blocks, a snapshot or a backup elsewhere keeps what it keeps
 * (docs/retention.md).
 */
import { chmod, open, rm } from 'node:fs/promises';
import type { FileHandle } from 'node:fs/promises';
import { dirname } from 'node:path';

/** A file that is not there is no error. Throws what the file system says. */
export async function wipeFile(file: string): Promise<void> {
  const handle = await openToOverwrite(file).catch(absent);
  if (handle === undefined) return;
  try {
    const { size } = await handle.stat();
    await handle.write(new Uint8Array(size), 0, size, 0);
    await handle.sync();
  } finally {
    await handle.close();
  }
  await rm(file, { force: true });
  const folder = await open(dirname(file), 'r');
  await folder.sync().finally(() => folder.close());
}

/** What stood in a file, and where. */
export interface FilePart {
  readonly at: number;
  readonly bytes: Uint8Array;
}

/**
 * Overwrites these parts with zeros, inside a file that stays. A part that holds other bytes by now is left as it is: whoever
 * writes the file may have cut it or begun it anew. A file that is not there is no error.
 */
export async function wipeParts(file: string, parts: readonly FilePart[]): Promise<void> {
  const handle = await openToOverwrite(file).catch(absent);
  if (handle === undefined) return;
  try {
    for (const { at, bytes } of parts) {
      const there = Buffer.alloc(bytes.length);
      const { bytesRead } = await handle.read(there, 0, there.length, at);
      if (bytesRead === bytes.length && there.equals(bytes))
        await handle.write(there.fill(0), 0, there.length, at);
    }
    await handle.sync();
  } finally {
    await handle.close();
  }
}

/** Also a file that its owner guards against being written (mode 0400). */
async function openToOverwrite(file: string): Promise<FileHandle> {
  return open(file, 'r+').catch(async (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EACCES') throw error;
    await chmod(file, 0o600);
    return open(file, 'r+');
  });
}

function absent(error: NodeJS.ErrnoException): undefined {
  if (error.code !== 'ENOENT') throw error;
  return undefined;
}
