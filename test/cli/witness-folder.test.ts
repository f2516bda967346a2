/** The folder of a witness, when several people work in it at one time. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { createWitness, readWitness, trustLog, witnessFolder } from '../../cli/witness-folder.js';
import { logSigner, manyLogs } from '../witness/log-views.js';

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
