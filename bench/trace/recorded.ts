/**
 * Recorded requests, over the store of the bench, to a ledger and a tracer as `firebreak ledger run` and `firebreak tracer run`
 * have them. First "walk, look, words": the walk, its words with the ledger entries of each contact, the sealed record of the look
 * sent over MQTT, committed and synced by the ledger in another process, its receipt checked. Then the whole of it, over HTTP.
 */
import { rename } from 'node:fs/promises';
import { createDeployment } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import type { City } from './city.js';
import { spread, tell } from './figures.js';
import { startOurs } from './ours.js';
import { benchOverHttp } from './over-http.js';
import type { Question } from './question.js';
import { startRole } from './role.js';

/** Moves the store into the place for it in a deployment that is made in `dir`, whose clock stands at noon of the day after the city's. */
export async function benchRecorded(
  dir: string,
  store: string,
  questions: readonly Question[],
  { contacts, to }: City,
): Promise<void> {
  const folder = folderAt(dir);
  const clockStart = (dayOf(to) + 1.5) * DAY_SECONDS;
  await createDeployment(folder, { settings: DEFAULT_SETTINGS, clock: { clockStart } });
  await rename(store, folder.tracer.contacts);
  const ledger = startRole('ledger', dir);
  try {
    await walkAndLook(dir, questions, contacts);
    await benchOverHttp(dir, questions, contacts);
  } finally {
    await ledger.end();
  }
}

async function walkAndLook(dir: string, questions: readonly Question[], contacts: number): Promise<void> {
  const ours = startOurs();
  try {
    const { walkMs, requestMs } = await ours.tell({ kind: 'recorded', dir, questions });
    const walkP50Ms = spread(walkMs).p50Ms;
    tell({ measure: 'walk, look, words', contacts, ...spread(requestMs), walkP50Ms });
  } finally {
    await ours.end();
  }
}
