/**
 * Signal strengths for a controller emulator, which measures none (btvirt reports 127, "not available", with every
 * advert). MODELLED, NOT MEASURED: this is where they enter, and a radio on real adapters never gets any. Each process
 * says under run/emulated/ which address it has now; how strong it arrives elsewhere follows from where a script puts
 * the two (radio/air/propagation.ts, the mean of INDOOR, without shadowing and fading).
 */
import { mkdir, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { z } from 'zod';
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Advertiser, RadioAddress, Scanner } from '../../radio/contract.js';
import { distanceMetres, INDOOR, meanPathLossDb } from '../../radio/air/propagation.js';
import { writeAtomically } from '../files/atomic-file.js';
import { parseJson } from '../folder/config.js';
import type { DataFolder } from '../folder/folder.js';
import { parseMovement } from './movement.js';
import type { Movement } from './movement.js';

/** How often the script and the addresses are read again: the script may be replaced while everything runs. */
const LOOK_EVERY_MS = 200;

const sender = z.strictObject({
  name: z.string(),
  address: z.string().regex(/^[0-9a-f]{12}$/),
  txPowerDbm: z.number(),
});
type Sender = z.infer<typeof sender>;

export interface EmulatedRssi {
  /** Of an advert from that address, here and now, whole dBm; undefined for one that would not arrive. */
  rssiOf(address: RadioAddress): number | undefined;
  /** The same scanner, deaf to what would not arrive: all controllers of an emulator hear each other. */
  inReach(scanner: Scanner): Scanner;
  /** The same advertiser, which says under which address it will be on the air before it is. */
  announced(advertiser: Advertiser): Advertiser;
  close(): void;
}

interface EmulatedRssiDeps {
  readonly folder: DataFolder;
  /** The movement (movement.ts). */
  readonly file: string;
  /** This process's, in the movement. */
  readonly name: string;
  readonly clock: Clock;
}

/** Throws `format` for a movement that does not fit, `input` for none. */
export async function openEmulatedRssi(deps: EmulatedRssiDeps): Promise<EmulatedRssi> {
  const { folder, name, clock } = deps;
  const dir = join(folder.run, 'emulated');
  await mkdir(dir, { recursive: true, mode: 0o700 });
  let { movement, senders } = await look(deps.file, dir);
  const timer = setInterval(() => {
    look(deps.file, dir).then(
      (now) => ({ movement, senders } = now),
      () => undefined, // half written; the next look finds it whole
    );
  }, LOOK_EVERY_MS).unref();
  return {
    rssiOf: (address) => {
      const from = senders.get(address);
      return from && strength(movement, from, name, clock.nowMs());
    },
    inReach: (scanner) => ({
      start: (onSighting) =>
        scanner.start((sighting) => {
          if (sighting.rssiDbm !== undefined) onSighting(sighting);
        }),
      stop: () => scanner.stop(),
    }),
    announced: (advertiser) => ({
      set: async (settings) => {
        const { address, txPowerDbm } = settings;
        await writeAtomically(join(dir, `${name}.json`), JSON.stringify({ name, address, txPowerDbm }));
        await advertiser.set(settings);
      },
      stop: () => advertiser.stop(),
    }),
    close: () => clearInterval(timer),
  };
}

function strength(movement: Movement, from: Sender, name: string, atMs: number): number | undefined {
  const there = movement.placeOf(from.name, atMs);
  const here = movement.placeOf(name, atMs);
  if (there === undefined || here === undefined) return undefined;
  const rssiDbm = Math.round(from.txPowerDbm - meanPathLossDb(distanceMetres(here, there), INDOOR));
  return rssiDbm < INDOOR.sensitivityDbm ? undefined : rssiDbm;
}

interface Look {
  readonly movement: Movement;
  readonly senders: ReadonlyMap<RadioAddress, Sender>;
}

async function look(file: string, dir: string): Promise<Look> {
  const text = await readFile(file, 'utf8').catch((cause: Error) => {
    throw new FirebreakError('input', `the movement cannot be read: ${cause.message}`, { cause });
  });
  const names = (await readdir(dir)).filter((one) => one.endsWith('.json'));
  const senders = await Promise.all(names.map((one) => readSender(join(dir, one))));
  return { movement: parseMovement(text), senders: new Map(senders.map((one) => [one.address, one])) };
}

async function readSender(file: string): Promise<Sender> {
  return sender.parse(parseJson(file, await readFile(file, 'utf8')));
}
