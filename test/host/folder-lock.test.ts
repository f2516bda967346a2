/** The lock of a folder: the kernel's, whatever was left behind on the disk. */
import { spawn } from 'node:child_process';
import { mkdtemp, readdir, rm, truncate, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { describe, expect, onTestFinished, test } from 'vitest';
import { holdLock } from '../../host/folder-lock.js';
import { program } from '../program.js';

async function place(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-lock-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  return join(dir, 'lock');
}
const hold = (dir: string) => holdLock(dir, 'it runs already');

/** Another process that holds the lock. */
async function holder(dir: string) {
  const module = pathToFileURL(program(new URL('../../host/folder-lock.ts', import.meta.url))).href;
  const script = `import { holdLock } from '${module}';
    await holdLock(${JSON.stringify(dir)}, 'it runs already'); console.log('held'); setInterval(() => {}, 1000);`;
  const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  onTestFinished(() => void child.kill('SIGKILL'));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  return child;
}

describe('the lock of a folder', () => {
  test('is one process’, and free when that gives it back', async () => {
    const dir = await place();
    const release = await hold(dir);
    const refused = { code: 'locked', message: 'it runs already' };
    await expect(hold(dir)).rejects.toMatchObject(refused);
    await release();
    await (
      await hold(dir)
    )();
  });

  test('is free as soon as its process is killed', async () => {
    const dir = await place();
    const child = await holder(dir);
    await expect(hold(dir)).rejects.toMatchObject({ code: 'locked' });
    const gone = new Promise((resolve) => child.once('exit', resolve));
    child.kill('SIGKILL');
    await gone;
    await (
      await hold(dir)
    )();
  });

  test.each([
    ['of a process that is gone', '999999'],
    ['of the first process, which always runs', '1'],
    ['of this very process, as in a container', String(process.pid)],
    ['that is empty', ''],
  ])('replaces a file with a process id %s', async (_whose, text) => {
    const dir = await place();
    await writeFile(dir, `${text}\n`);
    const release = await hold(dir);
    await expect(hold(dir)).rejects.toMatchObject({ code: 'locked' });
    await release();
  });

  test('goes to one of many who start at once over what was left behind', async () => {
    for (let round = 0; round < 20; round++) {
      const dir = await place();
      await writeFile(dir, '999999\n');
      const starts = await Promise.allSettled(Array.from({ length: 4 }, () => hold(dir)));
      const held = starts.flatMap((one) => (one.status === 'fulfilled' ? [one.value] : []));
      expect(held).toHaveLength(1);
      for (const one of starts)
        if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'locked' });
      await held[0]?.();
    }
  });

  test('is had whichever of its files a power cut left empty', async () => {
    const dir = await place();
    await (
      await hold(dir)
    )();
    const names = await readdir(dir);
    expect(names).toContain('CURRENT');
    for (const name of names) {
      const files = await readdir(dir);
      if (files.includes(name)) await truncate(join(dir, name));
      await (
        await hold(dir)
      )();
    }
    for (const name of await readdir(dir)) await truncate(join(dir, name));
    const release = await hold(dir);
    await expect(hold(dir)).rejects.toMatchObject({ code: 'locked' });
    await release();
  });

  test('says where it cannot be', async () => {
    const dir = await place();
    await writeFile(dir, '');
    await expect(hold(join(dir, 'below'))).rejects.toMatchObject({ code: 'damaged' });
  });
});
