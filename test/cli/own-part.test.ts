/** What a machine is told that has its own part of a deployment and no more: where to ask, and not to put keys there that are not its own. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
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

it.each(['trace', 'cluster'])('%s does not ask an officer for the key of the log', async (command) => {
  const dir = await officersFolder();
  const what = command === 'trace' ? ['--case', '1'] : ['--cases', join(dir, 'cases.txt')];
  const { code, text } = await attempt(command, '--data-dir', dir, ...what);
  expect(text).not.toContain('log.key');
  expect(text).toContain(`no tracer runs on ${dir}, and its ledger is not here: ask where the tracer runs`);
  expect(text).toContain('docs/tracer-api.md');
  expect(code).toBe(1);
});
