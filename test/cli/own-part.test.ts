/** What a machine is told that has its own part of a deployment and no more: where to ask, and not to put keys there that are not its own; nor does a look begin a log. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { folderAt } from '../../cli/folder/folder.js';
import { attempt } from './in-process.js';

/** With `firebreak.json` and `tracer/` alone. */
async function officersFolder(): Promise<string> {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-own-part-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  await attempt('authority', 'init', '--data-dir', dir);
  for (const part of ['authority', 'ledger']) await rm(join(dir, part), { recursive: true });
  await writeFile(join(dir, 'cases.txt'), '1\n2\n');
  return dir;
}

const ask = (command: string, dir: string) => {
  const what = command === 'trace' ? ['--case', '1'] : ['--cases', join(dir, 'cases.txt')];
  return attempt(command, '--data-dir', dir, ...what);
};

it.each(['trace', 'cluster'])('%s does not ask an officer for the key of the log', async (command) => {
  const dir = await officersFolder();
  const { code, text } = await ask(command, dir);
  expect(text).not.toContain('log.key');
  expect(text).toContain(`no tracer runs on ${dir}, and its ledger is not here: ask where the tracer runs`);
  expect(text).toContain('docs/tracer-api.md');
  expect(code).toBe(1);
});

it.each(['trace', 'cluster'])(
  '%s begins no log: a log key may have a log that is elsewhere',
  async (command) => {
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-no-log-'));
    onTestFinished(() => rm(dir, { recursive: true }));
    await attempt('authority', 'init', '--data-dir', dir);
    await writeFile(join(dir, 'cases.txt'), '1\n2\n');
    const { code, text } = await ask(command, dir);
    expect(text).toContain(`no ledger runs on ${dir}: start one with `);
    expect(text).toContain('of a ledger on another machine, write down where it is (docs/apart.md)');
    expect(code).toBe(1);
    expect(existsSync(folderAt(dir).ledger.store)).toBe(false);
  },
);
