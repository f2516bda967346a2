/** Two checkpoints of one log that contradict each other are evidence: kept whole, or it is said that they are not. */
import { readdir, readFile, truncate, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { openStateFolder } from '../../witness/state-folder.js';
import type { WitnessState } from '../../witness/state.js';
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

/** As many checkpoints of one size as asked for, each with a root of its own. */
const forksOf = (origin: string, count: number): string[] =>
  Array.from({ length: count }, (_, i) => `${origin}\n8\nroot ${i}\n\n— ${origin} c2lnbmVk\n`);

test('no more than 64 checkpoints of one log are kept, the 65th is not said to be, and those of another log are', async () => {
  const dir = await temporaryFolder();
  const state = await openStateFolder(dir);
  onTestFinished(() => state.close());
  await expect(state.keepFork(forksOf('one.example', 65))).rejects.toMatchObject({ code: 'full' });
  expect(await readdir(join(dir, 'forks'))).toHaveLength(64);
  await state.keepFork(forksOf('one.example', 64));
  await state.keepFork(forksOf('two.example', 2));
  expect(await readdir(join(dir, 'forks'))).toHaveLength(64 + 2);
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

describe('a witness that is shown forks again and again', () => {
  const FORKED = 'the log was forked: it signed two roots for one size';

  async function listening(stateOver?: (state: WitnessState) => WitnessState) {
    const said: (readonly [string, LogFields | undefined])[] = [];
    const error = (message: string, fields?: LogFields) => void said.push([message, fields]);
    const witness = await startWitness('w1', {
      log: { ...silentLog, error },
      ...(stateOver && { stateOver }),
    });
    await witness.post(await logView('honest', 0, 9).request(0, 8));
    const replay = async (request: string, times: number) => {
      for (let i = 0; i < times; i++) expect((await witness.post(request)).status).toBe(409);
    };
    return { ...witness, said, alarms: () => said.filter(([message]) => message === FORKED), replay };
  }

  test('writes few alarms for the same one, counts the rest, and alarms at once for another', async () => {
    const { said, alarms, replay, stop } = await listening();
    await replay(await logView('forked', 0, 8).request(8, 8), 40);
    expect(alarms()).toHaveLength(10);
    expect(alarms().at(-1)?.[1]).toMatchObject({ size: 8, leftOut: 15 });
    await replay(await logView('another', 0, 8).request(8, 8), 1);
    expect(alarms()).toHaveLength(11);
    expect(alarms().at(-1)?.[1]).not.toHaveProperty('leftOut');
    await stop();
    expect(said.at(-2)).toEqual(['lines were left out', { of: FORKED, leftOut: 8 }]);
  });

  test('alarms for a fork though other lines were left out', async () => {
    const full = () => Promise.reject(new FirebreakError('full', 'no room'));
    const saves = { first: true };
    const { said, alarms, post, replay } = await listening((state) => ({
      load: (origin) => state.load(origin),
      save: (origin, note) => {
        if (!saves.first) return full();
        saves.first = false;
        return state.save(origin, note);
      },
      keepFork: full,
      close: () => state.close(),
    }));
    const grown = await logView('honest', 0, 9).request(8, 9);
    for (let i = 0; i < 40; i++) expect((await post(grown)).status).toBe(503);
    expect(said).toHaveLength(10);
    await replay(await logView('forked', 0, 8).request(8, 8), 1);
    expect(alarms()).toHaveLength(1);
    expect(said.at(-1)?.[0]).toBe('a forked checkpoint could not be kept');
  });

  test('tells apart the first 16 forks of one size; those beyond share their count', async () => {
    const { alarms, replay } = await listening();
    for (let i = 0; i < 40; i++) await replay(await logView(`forked ${i}`, 0, 8).request(8, 8), 1);
    expect(alarms()).toHaveLength(16 + 9);
  });

  test('begins to count anew once it has cosigned more', async () => {
    const { alarms, post, replay } = await listening();
    await replay(await logView('forked', 0, 8).request(8, 8), 9);
    expect(alarms()).toHaveLength(8);
    expect((await post(await logView('honest', 0, 9).request(8, 9))).status).toBe(200);
    await replay(await logView('forked', 0, 9).request(9, 9), 1);
    expect(alarms().at(-1)?.[1]).toMatchObject({ size: 9 });
  });
});
