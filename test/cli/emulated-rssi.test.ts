import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openEmulatedRssi } from '../../cli/air/emulated-rssi.js';
import type { EmulatedRssi } from '../../cli/air/emulated-rssi.js';
import { folderAt } from '../../cli/folder/folder.js';
import { virtualClock } from '../../host/clock-virtual.js';
import type { AdvertiserSettings, RadioAddress, Sighting } from '../../radio/contract.js';
import { INDOOR, meanPathLossDb } from '../../radio/air/propagation.js';
import { until } from './firebreak-process.js';

const SCRIPT = ['0 1 0 0', '0 2 2 0', '0 far 400 0', '100 2 4 0'];
const onAir = (address: RadioAddress): AdvertiserSettings => ({
  address,
  advert: new Uint8Array(31),
  txPowerDbm: -4,
  intervalMs: 1_000,
  phaseMs: 0,
  jitter: 0,
  connectable: false,
});

async function stage() {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-rssi-'));
  onTestFinished(() => rm(dir, { recursive: true }));
  const file = join(dir, 'walk');
  await writeFile(file, SCRIPT.join('\n'));
  const clock = virtualClock(50_000);
  const party = async (name: string): Promise<EmulatedRssi> => {
    const emulated = await openEmulatedRssi({ folder: folderAt(dir), file, name, clock });
    onTestFinished(() => emulated.close());
    return emulated;
  };
  const announce = (from: EmulatedRssi, address: RadioAddress) =>
    from.announced({ set: async () => undefined, stop: async () => undefined }).set(onAir(address));
  return { party, announce, clock };
}

const knows = (who: EmulatedRssi, address: RadioAddress) =>
  until('the address to be known', () => who.rssiOf(address));

it('models a strength from where the script puts both, now', async () => {
  const { party, announce, clock } = await stage();
  const [one, two] = [await party('1'), await party('2')];
  await announce(two, 'c00000000002');
  expect(await knows(one, 'c00000000002')).toBe(Math.round(-4 - meanPathLossDb(2, INDOOR)));
  await clock.advance(60_000);
  expect(one.rssiOf('c00000000002')).toBe(Math.round(-4 - meanPathLossDb(4, INDOOR)));
});

it('follows a party to its next address, and knows nobody under the old one', async () => {
  const { party, announce } = await stage();
  const [one, two] = [await party('1'), await party('2')];
  await announce(two, 'c00000000002');
  await knows(one, 'c00000000002');
  await announce(two, 'c00000000003');
  await knows(one, 'c00000000003');
  expect(one.rssiOf('c00000000002')).toBeUndefined();
});

it('hears nobody who is out of reach, or in no script', async () => {
  const { party, announce } = await stage();
  const [one, two, far] = [await party('1'), await party('2'), await party('far')];
  await announce(two, 'c00000000002');
  await announce(far, 'c00000000004');
  await knows(one, 'c00000000002');
  const heard: Sighting[] = [];
  let hear: (sighting: Sighting) => void = () => undefined;
  await one
    .inReach({ start: async (listener) => void (hear = listener), stop: async () => undefined })
    .start((sighting) => heard.push(sighting));
  for (const address of ['c00000000002', 'c00000000004', 'c0bad0000000'])
    hear({ address, rssiDbm: one.rssiOf(address), advert: new Uint8Array(31), heardAtMs: 0 });
  expect(heard.map(({ address }) => address)).toEqual(['c00000000002']);
});
