/** Of a day that is to end the keys cannot be read: it waits, and nothing else does. */
import { mkdir, rename, rmdir } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openAuthority } from '../../authority/authority.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { temporaryFolder } from '../ledger/deployment.js';
import { newWorld, RETENTION_DAYS, TODAY } from './fixture.js';

it('a day waits while its key file cannot be read, and with it neither another day nor a start', async () => {
  const keysDir = await temporaryFolder();
  const world = newWorld({ dayKeys: dayKeyFiles(keysDir) });
  const authority = await openAuthority(world.deps);
  const file = join(keysDir, `${TODAY - 1}.key`);
  await rename(file, `${file}.before`);
  await mkdir(file);
  await world.leapTo(TODAY + RETENTION_DAYS + 1);
  await authority.maintain();
  await authority.maintain();
  expect((await authority.status()).ended).toMatchObject([{ day: TODAY }]);
  const unread = { level: 'error', message: 'a day does not end: its keys cannot be read' };
  expect(world.logged.filter(({ level }) => level === 'error')).toMatchObject([unread]);
  await authority.close();
  const again = await openAuthority(world.deps);
  await rmdir(file);
  await rename(`${file}.before`, file);
  await again.maintain();
  expect((await again.status()).ended).toMatchObject([{ day: TODAY - 1 }, { day: TODAY }]);
  expect(world.logged.filter(({ message }) => message.includes('a copy of'))).toEqual([]);
  await again.close();
});
