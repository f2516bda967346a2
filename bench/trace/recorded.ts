/**
 * The whole of a request: the walk, its words with the ledger entries of each contact, the sealed record of the look sent over
 * MQTT, committed and synced by a ledger in another process, its receipt checked, and only then the answer. Ledger and tracer are
 * those of `firebreak ledger run` and `firebreak tracer run`, over the store of the bench.
 */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { rename } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { createDeployment } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { spread, tell } from './figures.js';
import { startOurs } from './ours.js';
import type { Question } from './question.js';

/** Moves the store into the place for it in a deployment that is made in `dir`. */
export async function benchRecorded(
  dir: string,
  store: string,
  questions: readonly Question[],
  contacts: number,
): Promise<void> {
  const folder = folderAt(dir);
  await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  await rename(store, folder.tracer.contacts);
  const program = fileURLToPath(new URL('../../cli/main.js', import.meta.url));
  const command = [program, 'ledger', 'run', '--data-dir', dir];
  const ledger = spawn(process.execPath, command, { env: { ...process.env, FIREBREAK_LOG: 'warn' } });
  const ended = once(ledger, 'exit');
  const ours = startOurs();
  try {
    const { walkMs, requestMs } = await ours.tell({ kind: 'recorded', dir, questions });
    const walkP50Ms = spread(walkMs).p50Ms;
    tell({ measure: 'recorded request', contacts, ...spread(requestMs), walkP50Ms });
  } finally {
    await ours.end();
    ledger.kill();
    await ended;
  }
}
