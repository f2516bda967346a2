/** What an authority does all the time, while a part of it fails: the rest is done, and the log is not flooded. */
import { chmod, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { roundOf } from '../../cli/rounds.js';
import { AskingTag, newAuthority, TODAY } from '../authority/fixture.js';

test('a key file with the wrong mode costs no officer an order, and is said once', async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-rounds-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const { world } = await newAuthority({ dayKeys: dayKeyFiles(dir) });
  await (await newAuthority(world.deps)).authority.enrol(new AskingTag('a').firstRequest(TODAY, 3));
  const { authority } = await newAuthority(world.deps); // which knows tomorrow's keys, and has not read the next
  const file = join(dir, `${TODAY + 2}.key`);
  await chmod(file, 0o644);
  world.clock.set(TODAY + 1);
  let orders = 0;
  const parts = { days: () => authority.maintain(), orders: async () => void (orders += 1) };
  const said: string[] = [];
  const note = (message: string, fields = {}): void => void said.push(`${message} ${JSON.stringify(fields)}`);
  const round = roundOf(parts, { info: note, warn: note, error: note });
  for (let times = 0; times < 3; times += 1) await round();
  expect(orders).toBe(3);
  expect(said).toEqual([expect.stringContaining(`run chmod 600 ${file}`)]);
  await chmod(file, 0o600);
  for (let times = 0; times < 3; times += 1) await round();
  expect(said.slice(1)).toEqual(['well again {"part":"days"}']);
});
