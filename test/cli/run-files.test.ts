/** Files that processes leave behind: one of a process that is gone does not count, whoever has its id now. */
import { mkdir, mkdtemp, open, readdir, readFile, rm, stat, symlink, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { z } from 'zod';
import { folderAt, tagFolder } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { announce, findRunning, waitForRunning } from '../../cli/files/run-files.js';
import { keepStatus, readStatus } from '../../cli/files/status-file.js';
import { holdLock } from '../../host/folder-lock.js';
import { silentLog } from '../../protocol/log.js';
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
    expect(await readStatus(folder, file, 'it', z.number())).toMatchObject({ isRunning: counts, status: 7 });
  });
});

describe('a status', () => {
  it('is replaced whole and private, and not synced: that would be two syncs a second, for good', async () => {
    const file = join(folder.dir, 'status.json');
    const handle = await open(join(folder.dir, 'other'), 'w');
    const syncs = vi.spyOn(Object.getPrototypeOf(handle) as typeof handle, 'sync');
    onTestFinished(() => syncs.mockRestore());
    await handle.sync();
    await handle.close();
    expect(syncs).toHaveBeenCalledTimes(1);
    const close = await keepStatus(file, () => 7);
    expect((await stat(file)).mode & 0o777).toBe(0o600);
    await close();
    expect(syncs).toHaveBeenCalledTimes(1);
    expect((await readdir(folder.dir)).sort()).toEqual(['other', 'status.json']);
  });
});

describe('the wait for another process', () => {
  it('is said once, with the command that would end it, and ends in time', async () => {
    const said: string[] = [];
    let nowMs = 0; // as if nothing took time but looking at the clock
    const clock = vi.spyOn(performance, 'now').mockImplementation(() => (nowMs += 50));
    onTestFinished(() => clock.mockRestore());
    const log = { ...silentLog, info: (message: string) => void said.push(message) };
    const waiting = { folder, log, signal: new AbortController().signal };
    await expect(waitForRunning(waiting, 'ledger', 1_500)).rejects.toMatchObject({ code: 'unreachable' });
    const start = `start one with firebreak ledger run --data-dir ${folder.dir}`;
    expect(said).toEqual([`waiting up to 1.5 s for a ledger on ${folder.dir}: ${start}`]);
  });

  it('says nothing of one that comes at once', async () => {
    const error = (): never => expect.unreachable();
    const waiting = {
      folder,
      log: { info: error, warn: error, error },
      signal: new AbortController().signal,
    };
    const found = waitForRunning(waiting, 'authority', 60_000);
    await announce(folder, 'authority', { http: HTTP });
    expect((await found).http).toBe(HTTP);
  });
});

describe('a gateway without a ledger to tell it the broker', () => {
  it('gives up after its patience', async () => {
    await attempt('authority', 'init', '--data-dir', folder.dir);
    const started = performance.now();
    const { code, text } = await attempt(
      ...['gateway', 'run', '--data-dir', folder.dir, '--broker-patience', '1'],
    );
    expect(text).toContain(`no ledger runs on ${folder.dir}`);
    expect(code).toBe(1);
    expect(performance.now() - started).toBeLessThan(50_000);
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

describe('a file that may not be read', () => {
  it('is not taken for one that is missing: the party may well run', async () => {
    await mkdir(folder.run);
    const run = join(folder.run, 'authority.json');
    const status = join(folder.dir, 'status.json');
    for (const file of [run, status]) await symlink(file, file); // which no user can read
    await expect(findRunning(folder, 'authority')).rejects.toMatchObject({
      code: 'permission',
      message: expect.stringContaining(`${run} cannot be read`) as unknown,
    });
    await expect(readStatus(folder, status, 'gateway hub-1', z.number())).rejects.toMatchObject({
      code: 'permission',
      message: expect.not.stringContaining('has not run') as unknown,
    });
  });
});
