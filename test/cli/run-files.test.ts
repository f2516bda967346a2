/** Files that processes leave behind: one of a process that is gone does not count, whoever has its id now. */
import { mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { z } from 'zod';
import { folderAt, tagFolder } from '../../cli/folder.js';
import type { DataFolder } from '../../cli/folder.js';
import { announce, findRunning } from '../../cli/run-files.js';
import { keepStatus, readStatus } from '../../cli/status-file.js';
import { holdLock } from '../../courier/folder-lock.js';
import { attempt } from './in-process.js';

const HTTP = 'http://127.0.0.1:1';
const left = z.looseObject({ pid: z.number(), started: z.string() });

let folder: DataFolder;
beforeEach(async () => {
  folder = folderAt(await mkdtemp(join(tmpdir(), 'firebreak-run-')));
  onTestFinished(() => rm(folder.dir, { recursive: true }));
});

/** As if another process had written the file, which had this one's id before it. */
async function rewrite(file: string, change: (started: string) => string | undefined): Promise<void> {
  const { started, ...rest } = left.parse(JSON.parse(await readFile(file, 'utf8')));
  await writeFile(file, JSON.stringify({ ...rest, started: change(started) }));
}

const CHANGES: readonly (readonly [string, (started: string) => string | undefined, boolean])[] = [
  ['of this process', (started) => started, true],
  ['of an earlier process with its id', (started) => `${started}0`, false],
  ['of the same id and time before the machine was started anew', (started) => started.replace(/^\S+/, '0'), false],
  ['of a version that kept the id alone', () => undefined, true],
]; // prettier-ignore

describe.each(CHANGES)('a file %s', (_whose, change, counts) => {
  it(`${counts ? 'says' : 'does not say'} where it listens`, async () => {
    await announce(folder, 'authority', { http: HTTP });
    await rewrite(join(folder.run, 'authority.json'), change);
    expect((await findRunning(folder, 'authority'))?.http).toBe(counts ? HTTP : undefined);
  });

  it(`${counts ? 'says' : 'does not say'} that it runs`, async () => {
    const file = join(folder.dir, 'status.json');
    await (
      await keepStatus(file, () => 7)
    )();
    await rewrite(file, change);
    expect(await readStatus(file, 'it', z.number())).toMatchObject({ isRunning: counts, status: 7 });
  });
});

describe('firebreak tag run', () => {
  const run = () => attempt('tag', 'run', '--data-dir', folder.dir, '--number', '17');

  it('starts over what an earlier version left, and beside no other', async () => {
    await attempt('authority', 'init', '--data-dir', folder.dir);
    await announce(folder, 'air', { socket: join(folder.dir, 'nobody') });
    const { lock } = tagFolder(folder, 17);
    const release = await holdLock(lock, '');
    expect((await run()).text).toContain('this tag runs already');
    await release();
    await rm(lock, { recursive: true });
    await writeFile(lock, `${process.pid}\n`);
    expect((await run()).text).toContain('the air');
  });
});
