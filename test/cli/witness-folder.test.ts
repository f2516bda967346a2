/** The folder of a witness, when several people work in it at one time. */
import { mkdtemp, readdir, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createWitness, readWitness, trustLog, witnessFolder } from '../../cli/folder/witness-folder.js';
import { openStateFolder } from '../../witness/state-folder.js';
import { logSigner, logView, manyLogs } from '../witness/log-views.js';
import { attempt } from './in-process.js';

test('every log that is said to be trusted is, however many are at one time; the others are told to try again', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-trust-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const folder = witnessFolder(join(dir, 'w'));
  await expect(trustLog(folder, logSigner)).rejects.toMatchObject({ code: 'foreign' });
  await createWitness(folder, 'a.example/w');
  const trusted: string[] = [];
  const trust = (log: (typeof manyLogs)[number]) =>
    trustLog(folder, log).then((isNew) => isNew && trusted.push(log.name));
  const attempts = await Promise.allSettled(manyLogs.slice(0, 6).map(trust));
  for (const one of attempts)
    if (one.status === 'rejected') expect(one.reason).toMatchObject({ code: 'locked' });
  expect(trusted.length).toBeGreaterThan(0);
  for (const log of manyLogs.slice(6, 9)) await trust(log);
  expect((await readWitness(folder)).logs.map(({ name }) => name)).toEqual(trusted);
});

test.each([[['witness.key.71.tmp']], [['witness.key']], [['witness.key', 'witness.json.71.tmp']]])(
  'where a stop while it was made left %j, it is said what to do',
  async (left) => {
    const dir = await mkdtemp(join(tmpdir(), 'firebreak-half-'));
    onTestFinished(() => rm(dir, { recursive: true, force: true }));
    for (const name of left) await writeFile(join(dir, name), '', { mode: 0o600 });
    const folder = witnessFolder(dir);
    for (const work of [createWitness(folder, 'a.example/w'), readWitness(folder)])
      await expect(work).rejects.toMatchObject({
        code: 'exists',
        message: expect.stringMatching(/not made to its end.*remove the folder.*witness init/) as string,
      });
    expect((await readdir(dir)).sort()).toEqual([...left].sort());
  },
);

test('a key beside what was cosigned is not taken for a witness that was not made to its end', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-half-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  for (const name of ['witness.key', 'state']) await writeFile(join(dir, name), '');
  const refused: unknown = await createWitness(witnessFolder(dir), 'a.example/w').catch(
    (error: unknown) => error,
  );
  expect(refused).toMatchObject({ code: 'exists' });
  expect(String(refused)).not.toContain('remove');
});

test('one entry that was cosigned is shown as one', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-show-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const folder = witnessFolder(join(dir, 'w'));
  await createWitness(folder, 'a.example/w');
  await trustLog(folder, logSigner);
  const state = await openStateFolder(folder.state);
  await state.save(logSigner.name, logView('honest', 2, 2).note(1));
  await state.close();
  expect((await attempt('witness', 'show', folder.dir)).text).toContain(': 1 entry with the root ');
});
