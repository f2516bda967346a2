/** Tokens for those who ask a tracer: made, kept as hashes, known while it runs. */
import { chmod, mkdtemp, readFile, rename, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { afterAll, beforeAll, beforeEach, describe, expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { makeToken, watchTokens } from '../../cli/parts/tracer-tokens.js';
import { readKeyFile } from '../../cli/files/key-files.js';
import { findRunning } from '../../cli/files/run-files.js';
import { toHex } from '../../protocol/bytes.js';
import type { Log } from '../../protocol/log.js';
import { bearerOf } from '../../tracer/api/tokens.js';
import { startFirebreak } from './firebreak-process.js';
import type { FirebreakProcess } from './firebreak-process.js';
import { attempt } from './in-process.js';

let dir: string;
let folder: DataFolder;
beforeAll(async () => {
  dir = join(await mkdtemp(join(tmpdir(), 'firebreak-token-')), 'data');
  folder = folderAt(dir);
  expect(await attempt('authority', 'init', '--data-dir', dir)).toMatchObject({ code: 0 });
});
afterAll(() => rm(join(dir, '..'), { recursive: true, force: true }));
beforeEach(() => rm(folder.tracer.tokens, { force: true }));

const fileText = (): Promise<string> => readFile(folder.tracer.tokens, 'utf8');

async function until(holds: () => boolean | Promise<boolean>): Promise<void> {
  for (let waited = 0; !(await holds()); waited += 50) {
    if (waited > 50_000) throw new Error('it did not happen');
    await pause(50);
  }
}

async function watched(lookEveryMs?: number) {
  const lines: string[] = [];
  const note = (...said: unknown[]): void => void lines.push(JSON.stringify(said));
  const log: Log = { info: note, warn: note, error: note };
  const { tokens, close } = await watchTokens(folder, log, lookEveryMs);
  onTestFinished(() => close());
  return { lines, who: (token: string) => bearerOf(token, tokens()) };
}

describe('firebreak tracer token', () => {
  it('shows a token once and keeps its hash, in a file that is its owner’s', async () => {
    const made = [
      await attempt('tracer', 'token', '--data-dir', dir, '--name', 'Dr. Wu'),
      await attempt('tracer', 'token', '--data-dir', dir, '--name', 'the pager', '--role', 'operator'),
    ];
    const tokens = made.map(({ text }) => /^(fbt_[\w-]{43})\n/.exec(text)?.[1] ?? '');
    const text = await fileText();
    expect(text).toMatch(/^#.*\n[0-9a-f]{64} officer Dr\. Wu\n[0-9a-f]{64} operator the pager\n$/);
    expect((await stat(folder.tracer.tokens)).mode & 0o777).toBe(0o600);
    const { who } = await watched();
    expect(who(tokens[0] ?? '')).toEqual({ officer: 'Dr. Wu', roles: ['officer'] });
    expect(who(tokens[1] ?? '')).toEqual({ officer: 'the pager', roles: ['operator'] });
    for (const token of tokens) expect(text).not.toContain(token.slice(4));
  });

  it('says how many tokens a name has from the second on, and how one is taken back', async () => {
    const make = (name: string) => attempt('tracer', 'token', '--data-dir', dir, '--name', name);
    expect((await make('Dr. Wu')).stderr).not.toContain('tokens now');
    expect((await make('Dr. Ito')).stderr).not.toContain('tokens now');
    expect((await make('Dr. Wu')).stderr).toContain(
      `Dr. Wu has 2 tokens now; to take one back, delete its line from ${folder.tracer.tokens}`,
    );
  });

  it('loses none when several are made at once', async () => {
    const names = ['a', 'b', 'c', 'd'];
    const made = await Promise.allSettled(names.map((name) => makeToken(folder, name, 'officer')));
    const kept = names.filter((_name, place) => made[place]?.status === 'fulfilled');
    expect(kept.length).toBeGreaterThan(0);
    const lines = (await fileText()).trimEnd().split('\n').slice(1);
    expect(lines.map((line) => line.split(' ').at(-1)).sort()).toEqual(kept);
    for (const one of made)
      if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'locked' });
  });

  it.each([
    [
      'a file that is none',
      () => writeFile(folder.tracer.tokens, 'x\n', { mode: 0o600 }),
      'Wu',
      'line 1 must be',
    ],
    ['a file that others can read', async () => openToOthers(), 'Wu', 'run chmod 600'],
  ])('is refused for %s, and changes nothing', async (_what, spoil, name, says) => {
    await spoil();
    const before = await fileText().catch(() => 'none');
    const { code, text } = await attempt('tracer', 'token', '--data-dir', dir, '--name', name);
    expect(code).toBe(1);
    expect(text).toContain(says);
    expect(text).not.toContain('fbt_');
    expect(await fileText().catch(() => 'none')).toBe(before);
  });
});

async function openToOthers(): Promise<void> {
  await writeFile(folder.tracer.tokens, '');
  await chmod(folder.tracer.tokens, 0o644);
}

describe('who a tracer knows', () => {
  it('is the folder’s own token from the start, in whatever name', async () => {
    const { who } = await watched();
    const own = toHex(await readKeyFile(folder.tracer.apiToken));
    expect(who(own)).toEqual({ roles: ['officer', 'operator'] });
    expect(who('fbt_other')).toBeUndefined();
  });

  it('follows the file on SIGHUP, without a look of its own', async () => {
    const { who } = await watched(600_000);
    const { token } = await makeToken(folder, 'Dr. Wu', 'officer');
    process.emit('SIGHUP', 'SIGHUP');
    await until(() => who(token) !== undefined);
  });

  it('follows the file soon without', async () => {
    const { who, lines } = await watched();
    const { token: first } = await makeToken(folder, 'Dr. Wu', 'officer');
    await until(() => who(first) !== undefined);
    const { token: second } = await makeToken(folder, 'Dr. Ito', 'officer');
    await until(() => who(second) !== undefined);
    await rm(folder.tracer.tokens);
    await until(() => who(first) === undefined && who(second) === undefined);
    expect(lines.join()).not.toMatch(/Wu|Ito|fbt_/);
  });

  it('stays as it was while the file cannot be read, which is said', async () => {
    const { token } = await makeToken(folder, 'Dr. Wu', 'officer');
    const { who, lines } = await watched();
    await writeFile(folder.tracer.tokens, 'half a li');
    process.emit('SIGHUP', 'SIGHUP');
    await until(() => lines.join().includes('"code":"damaged"'));
    expect(lines.join()).toContain('line 1 must be the SHA-256 of a token of its own');
    expect(lines.join()).not.toContain('half a li');
    expect(who(token)).toMatchObject({ officer: 'Dr. Wu' });
  });

  it('no longer holds one whose line went while others could read the file, once they cannot', async () => {
    const { token } = await makeToken(folder, 'Dr. Wu', 'officer');
    const { token: kept } = await makeToken(folder, 'Dr. Ito', 'officer');
    const { who, lines } = await watched(50);
    const without = (await fileText()).replace(/^.*Dr\. Wu\n/m, '');
    await writeFile(`${folder.tracer.tokens}.new`, without);
    await chmod(`${folder.tracer.tokens}.new`, 0o644);
    await rename(`${folder.tracer.tokens}.new`, folder.tracer.tokens);
    await until(() => lines.join().includes('run chmod 600'));
    expect(who(token)).toMatchObject({ officer: 'Dr. Wu' });
    await chmod(folder.tracer.tokens, 0o600);
    await until(() => who(token) === undefined);
    expect(who(kept)).toMatchObject({ officer: 'Dr. Ito' });
    expect(lines.filter((line) => line.includes('cannot be read'))).toHaveLength(1);
  });

  it('is whoever has the folder’s own token of now, not of before', async () => {
    const file = folder.tracer.apiToken;
    const before = await readFile(file, 'utf8');
    onTestFinished(() => writeFile(file, before, { mode: 0o600 }));
    const { who, lines } = await watched(50);
    const after = 'ab'.repeat(32);
    await writeFile(`${file}.new`, `${after}\n`, { mode: 0o600 });
    await rename(`${file}.new`, file);
    await until(() => who(after) !== undefined);
    expect(who(before.trimEnd())).toBeUndefined();
    await rm(file);
    await until(() => who(after) === undefined);
    expect(lines.join()).toContain('is gone');
    expect(lines.join()).not.toContain(after);
  });

  it('is nobody before a file that cannot be read', async () => {
    await writeFile(folder.tracer.tokens, 'half a li', { mode: 0o600 });
    await expect(watched()).rejects.toMatchObject({ code: 'damaged' });
  });
});

describe('a tracer that runs', () => {
  const started = (): FirebreakProcess => {
    const tracer = startFirebreak(['tracer', 'run', '--data-dir', dir]);
    onTestFinished(() => tracer.kill());
    return tracer;
  };

  it('lives on at a SIGHUP that comes before it is up', async () => {
    const tracer = started();
    await tracer.says('for a ledger on');
    tracer.child.kill('SIGHUP');
    await tracer.says('read who may ask');
    tracer.child.kill('SIGTERM');
    expect(await tracer.ended).toMatchObject({ signal: null });
  });

  it('ends at once on tokens that cannot be read, before there is a ledger', async () => {
    await writeFile(folder.tracer.tokens, 'half a li', { mode: 0o600 });
    const tracer = started();
    expect(await tracer.ended).toEqual({ code: 1, signal: null });
    expect(tracer.stderr()).toContain('line 1 must be');
    expect(tracer.stderr()).not.toContain('ledger on');
  });

  it('takes a token that was made while it ran, until its line is gone', async () => {
    const running = ['ledger', 'tracer'].map((room) => startFirebreak([room, 'run', '--data-dir', dir]));
    onTestFinished(async () => void (await Promise.all(running.map((one) => one.kill()))));
    await running[1]?.says('the tracer is up');
    const url = (await findRunning(folder, 'tracer'))?.http;
    const { token } = await makeToken(folder, 'the pager', 'operator');
    const status = async (): Promise<number> => {
      const headers = { authorization: `Bearer ${token}` };
      return (await fetch(new URL('/v1/health', url), { headers })).status;
    };
    await until(async () => (await status()) === 200);
    await rm(folder.tracer.tokens);
    await until(async () => (await status()) === 401);
  });
});
