/** A log of ten million entries: memory while it grows, time to open it, after a kill too, time to prove an entry of it. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const RUN = fileURLToPath(new URL('./scale-run.js', import.meta.url));
const ENTRIES = 10_000_000;

async function runStep(...args: readonly string[]): Promise<void> {
  const child = spawn(process.execPath, [RUN, ...args], { stdio: 'inherit' });
  const [code] = (await once(child, 'exit')) as [number | null];
  if (code !== 0) throw new Error(`${args[0] ?? 'the step'} ended with code ${code ?? 'none'}`);
}

/** Appends more, in a process that is killed once it tells of a million more entries. */
async function killFilling(folder: string): Promise<void> {
  const child = spawn(process.execPath, [RUN, 'fill', folder, String(ENTRIES)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit').then(() =>
    Promise.reject(new Error('the filling ended before it was killed')),
  );
  await Promise.race([once(child.stdout, 'data'), ended]);
  child.kill('SIGKILL');
  await ended.catch(() => undefined);
}

/** Takes some 10 GB of disk in the folder it is started from. */
export async function benchScale(): Promise<void> {
  const folder = await mkdtemp(join(process.cwd(), '.bench-'));
  try {
    await runStep('fill', folder, String(ENTRIES));
    await runStep('open', folder);
    await killFilling(folder);
    await runStep('restart', folder);
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}
