/** Room for a city is asked for where each of its files goes, before anything is made. */
import type { Stats } from 'node:fs';
import type * as fs from 'node:fs/promises';
import { mkdir, mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeEach, expect, onTestFinished, test, vi } from 'vitest';
import type { CitySettings } from '../../firmware-sim/city/city-settings.js';
import { makeCity } from '../../firmware-sim/city/make-city.js';

interface Disk {
  readonly number: number;
  readonly freeMib: number;
}

/** By folder. */
const disks = vi.hoisted(() => new Map<string, Disk>());
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const statfs = async (path: string) => {
    const disk = disks.get(path);
    const info = await real.statfs(path);
    return disk ? { ...info, bsize: 2 ** 20, bavail: disk.freeMib } : info;
  };
  const stat = async (path: string): Promise<Stats> => {
    const [disk, info] = [disks.get(path), await real.stat(path)];
    return disk ? Object.assign(info, { dev: disk.number }) : info;
  };
  return { ...real, statfs, stat };
});

/** Some 3,000 contacts: less than a MiB as columns, and about one as text. */
const SETTINGS: CitySettings = { people: 300, days: 1, seed: 'hill', firstDay: 20_517, contactsPerDay: 20 };
const never = new AbortController().signal;

let city: string;
let elsewhere: string;
beforeEach(async () => {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-city-room-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  [city, elsewhere] = [join(dir, 'city'), join(dir, 'elsewhere')];
  await mkdir(city);
  await mkdir(elsewhere);
  disks.clear();
});

const make = (contactsFile?: string) =>
  makeCity({ settings: SETTINGS, dir: city, contactsFile, signal: never });

test('a city is refused where there is no room for it', async () => {
  disks.set(city, { number: 1, freeMib: 0 });
  await expect(make()).rejects.toMatchObject({
    code: 'full',
    message: `the city takes about 1 MiB and there are 0 MiB free for ${city}; make room, or fewer people or days`,
  });
  expect(await readdir(city)).toEqual([]);
});
