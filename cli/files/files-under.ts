/** All files of a folder and of those in it, one after the other. */
import type { Dirent } from 'node:fs';
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { asError } from '../../protocol/errors.js';

/** Links are not followed. A folder that is gone by then has none; one that cannot be listed is told, and the others go on. */
export async function* filesUnder(
  root: string,
  onUnlisted: (error: Error) => void,
): AsyncGenerator<{ readonly dir: string; readonly name: string }> {
  const folders = [root];
  for (let dir = folders.pop(); dir !== undefined; dir = folders.pop()) {
    const entries = await readdir(dir, { withFileTypes: true }).catch((error: NodeJS.ErrnoException) => {
      if (error.code !== 'ENOENT' && error.code !== 'ENOTDIR') onUnlisted(asError(error));
      return [] as Dirent[];
    });
    for (const entry of entries) {
      if (entry.isDirectory()) folders.push(join(dir, entry.name));
      if (entry.isFile()) yield { dir, name: entry.name };
    }
  }
}
