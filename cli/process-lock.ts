/** One process at a time on a folder: a file with its process id, which a killed one leaves behind and the next replaces. */
import { mkdir, open, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { FirebreakError } from '../protocol/errors.js';
import { isAlive } from './run-files.js';

/** Resolves a function that gives the folder back. Throws `locked` when a living process holds it. */
export async function lockFolder(dir: string, what: string): Promise<() => Promise<void>> {
  await mkdir(dir, { recursive: true, mode: 0o700 });
  const file = join(dir, 'lock');
  for (let attempt = 0; attempt < 2; attempt++) {
    try {
      const handle = await open(file, 'wx', 0o600);
      await handle.writeFile(`${process.pid}\n`);
      await handle.close();
      return () => rm(file, { force: true });
    } catch (error) {
      if ((error as NodeJS.ErrnoException).code !== 'EEXIST') throw error;
    }
    const holder = Number((await readFile(file, 'latin1').catch(() => '')).trim());
    if (holder > 0 && isAlive(holder))
      throw new FirebreakError('locked', `${what} runs already, as process ${holder}`);
    await rm(file, { force: true });
  }
  throw new FirebreakError('locked', `${what} is being started by someone else; try again`);
}
