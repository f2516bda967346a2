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
  readonly freeKib: number;
}

/** By folder. */
const disks = vi.hoisted(() => new Map<string, Disk>());
vi.mock('node:fs/promises', async (original) => {
  const real = await original<typeof fs>();
  const statfs = async (path: string) => {
    const disk = disks.get(path);
    const info = await real.statfs(path);
    return disk ? { ...info, bsize: 2 ** 10, bavail: disk.freeKib } : info;
  };
  const stat = async (path: string): Promise<Stats> => {
    const [disk, info] = [disks.get(path), await real.stat(path)];
    return disk ? Object.assign(info, { dev: disk.number }) : info;
  };
  return { ...real, statfs, stat };
});

/** Some 3,000 contacts: about 80 KiB as columns, and 1,055 as text. */
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
  disks.set(city, { number: 1, freeKib: 0 });
  await expect(make()).rejects.toMatchObject({
    code: 'full',
    message: `the city takes about 1 MiB and there are 0 MiB free for ${city}; make room, or fewer people or days`,
  });
  expect(await readdir(city)).toEqual([]);
});

test('the recording needs room on the disk it goes to', async () => {
  disks.set(city, { number: 1, freeKib: 1100 });
  disks.set(elsewhere, { number: 2, freeKib: 1000 });
  await expect(make(join(elsewhere, 'near.dat'))).rejects.toMatchObject({
    code: 'full',
    message: `the recording takes about 2 MiB and there are 1 MiB free for ${elsewhere}; make room, or fewer people or days`,
  });
  expect([await readdir(city), await readdir(elsewhere)]).toEqual([[], []]);
});

test('the city needs none for a recording that goes elsewhere', async () => {
  disks.set(city, { number: 1, freeKib: 100 });
  disks.set(elsewhere, { number: 2, freeKib: 1100 });
  await make(join(elsewhere, 'near.dat'));
  expect([await readdir(city), await readdir(elsewhere)]).toEqual([
    ['20517.contacts', 'city.json'],
    ['near.dat'],
  ]);
});

test('one disk needs room for both', async () => {
  for (const folder of [city, elsewhere]) disks.set(folder, { number: 1, freeKib: 1100 });
  await expect(make(join(elsewhere, 'near.dat'))).rejects.toMatchObject({ code: 'full' });
  for (const folder of [city, elsewhere]) disks.set(folder, { number: 1, freeKib: 1200 });
  await make(join(elsewhere, 'near.dat'));
});
