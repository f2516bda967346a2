/** Two checkpoints of one log that contradict each other are evidence: kept whole, or it is said that they are not. */
import { mkdir, readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { openStateFolder } from '../../witness/state-folder.js';
import { logView } from './log-views.js';
import { startWitness, temporaryFolder } from './running-witness.js';

const notes = ['honest', 'forked'].map((name) => logView(name, 0, 8).note(8));

async function keep(dir: string): Promise<string[]> {
  const state = await openStateFolder(dir);
  await state.keepFork(notes).finally(() => state.close());
  const forks = join(dir, 'forks');
  return Promise.all((await readdir(forks)).map((name) => readFile(join(forks, name), 'utf8')));
}

test.each([0, 1, 40, 70, 120])(
  'a fork of which %i bytes were written before a crash is kept whole',
  async (length) => {
    const dir = await temporaryFolder();
    await keep(dir);
    const [name = ''] = await readdir(join(dir, 'forks'));
    await truncate(join(dir, 'forks', name), length);
    await writeFile(join(dir, 'forks', `${name}.new`), 'cut sh');
    expect((await keep(dir)).sort()).toEqual(notes.toSorted());
  },
);

test('no more than 64 files are kept, and the 65th is not said to be', async () => {
  const dir = await temporaryFolder();
  await mkdir(join(dir, 'forks'));
  for (let i = 0; i < 63; i++) await writeFile(join(dir, 'forks', `${i}`), '');
  await expect(keep(dir)).rejects.toMatchObject({ code: 'full' });
  expect(await readdir(join(dir, 'forks'))).toHaveLength(64);
});

test('a witness that cannot keep a fork says so, and refuses it all the same', async () => {
  const errors: string[] = [];
  const log = { ...silentLog, error: (message: string) => void errors.push(message) };
  const { dir, post } = await startWitness('w1', { log });
  const [honest, forked] = [logView('honest', 0, 8), logView('forked', 0, 8)];
  await post(await honest.request(0, 8));
  await writeFile(join(dir, 'forks'), 'in the way');
  expect((await post(await forked.request(8, 8))).status).toBe(409);
  expect(errors).toEqual([
    'the log was forked: it signed two roots for one size',
    'a forked checkpoint could not be kept',
  ]);
});
