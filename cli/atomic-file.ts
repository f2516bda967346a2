/** Files that are either the old or the new whole: written beside, synced, renamed into place. */
import { open, rename, rm } from 'node:fs/promises';
import { dirname } from 'node:path';
import { FirebreakError } from '../protocol/errors.js';

export async function writeAtomically(
  file: string,
  content: string | Uint8Array,
  mode = 0o644,
): Promise<void> {
  const temporary = `${file}.${process.pid}.tmp`;
  try {
    const handle = await open(temporary, 'w', mode);
    try {
      await handle.writeFile(content);
      await handle.sync();
    } finally {
      await handle.close();
    }
    await rename(temporary, file);
    await syncFolder(dirname(file));
  } catch (cause) {
    await rm(temporary, { force: true });
    throw new FirebreakError('input', `${file} cannot be written: ${(cause as Error).message}`, { cause });
  }
}

async function syncFolder(folder: string): Promise<void> {
  const handle = await open(folder, 'r');
  await handle.sync().finally(() => handle.close());
}
