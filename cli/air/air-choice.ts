/** Which air a tag or a gateway is on: the simulated one of its folder, or the machine's Bluetooth adapters. */
import { InvalidArgumentError, Option } from 'commander';
import type { Command } from 'commander';
import { connectAir } from '../../radio/socket/air-socket-client.js';
import { parseAdapter } from '../../radio/ble/adapter-name.js';
import type { AdapterName } from '../../radio/ble/adapter-name.js';
import { openBleRadio } from '../../radio/ble/open-ble-radio.js';
import type { BleSettings } from '../../radio/ble/open-ble-radio.js';
import type { Radio } from '../../radio/contract.js';
import { openEmulatedRssi } from './emulated-rssi.js';
import type { EmulatedRssi } from './emulated-rssi.js';
import { usage } from '../terminal/exit.js';
import { place } from '../terminal/options.js';
import { waitForRunning } from '../files/run-files.js';
import { inFolder } from '../folder/session.js';
import type { FolderOptions, Session } from '../folder/session.js';

const WAIT_MS = 60_000;
const END_MS = 200;
const STACKS = ['abandonware', 'stoprocent'] as const;

interface AdapterPair {
  readonly scan: AdapterName;
  readonly advertise: AdapterName;
}

export interface AirOptions {
  readonly radio: 'simulated' | 'ble';
  readonly place?: { readonly x: number; readonly y: number };
  readonly adapters?: AdapterPair;
  readonly bleStack?: (typeof STACKS)[number];
  readonly emulatedRssi?: string;
}

export interface OnAir extends Radio {
  /** Resolves when the air is gone for good. Bluetooth never is: the radio waits for an adapter to come back. */
  readonly lost: Promise<void>;
}

const NEVER = new Promise<void>(() => undefined);

/** Adds --radio and what goes with each kind. */
export function withAirOptions(command: Command): Command {
  return command
    .addOption(
      new Option('--radio <kind>', 'the air it is on: the simulated one of the folder, or Bluetooth LE')
        .choices(['simulated', 'ble'])
        .default('simulated'),
    )
    .option('--place <x,y>', 'where it is in the simulated air, metres (default: 0,0)', place)
    .option(
      '--adapters <scan,advertise>',
      'the two Bluetooth adapters, such as hci0,hci1: the first scans and connects, the second advertises and serves',
      adapterPair,
    )
    .addOption(
      new Option('--ble-stack <name>', 'the noble and bleno to use (default: abandonware)').choices(STACKS),
    )
    .option(
      '--emulated-rssi <movement>',
      'for a controller emulator only: MODEL signal strengths from this script of who stands where',
    );
}

/** As inFolder, for a party that goes on the air. Throws `usage` for options that do not go together, before anything else. */
export async function inFolderOnAir(
  room: string,
  options: FolderOptions & AirOptions,
  work: (session: Session) => Promise<void>,
): Promise<void> {
  checkAirOptions(options);
  try {
    await inFolder(room, options, work);
  } finally {
    if (options.radio === 'ble') endAnyway();
  }
}

/** noble and bleno look at their adapters every second for good, and would keep a process that is done from ending. */
function endAnyway(): void {
  setTimeout(() => process.exit(), END_MS).unref();
}

/**
 * Goes on the air, within inFolderOnAir. `name` is this party's on the simulated air and in a movement. Throws what
 * connectAir, openBleRadio and openEmulatedRssi throw.
 */
export async function joinAir(session: Session, options: AirOptions, name: string): Promise<OnAir> {
  const { folder, signal, clock, log } = session;
  const { adapters, bleStack: stack = 'abandonware', emulatedRssi: file } = options;
  if (options.radio === 'simulated' || adapters === undefined) {
    const { socket } = await waitForRunning(session, 'air', WAIT_MS);
    return connectAir({ at: { path: socket }, name, signal, ...(options.place && { place: options.place }) });
  }
  if (file === undefined) return onAdapters({ stack, clock, log }, adapters);
  const emulated = await openEmulatedRssi({ folder, file, name, clock });
  log.warn('signal strengths are modelled, not measured: this is for a controller emulator');
  return onAdapters({ stack, clock, log }, adapters, emulated);
}

function checkAirOptions(options: AirOptions): void {
  const { radio, adapters, emulatedRssi } = options;
  if (radio === 'simulated')
    return requireNone(options, ['adapters', 'bleStack', 'emulatedRssi'], 'only with --radio ble');
  requireNone(options, ['place'], 'only with the simulated air: Bluetooth is where its adapters are');
  if (adapters === undefined)
    throw usage(
      'say which Bluetooth adapters: --adapters hci0,hci1 (docs/hardware.md tells how to find them)',
    );
  if (emulatedRssi !== undefined) requireEmulator(adapters);
}

async function onAdapters(
  settings: Pick<BleSettings, 'stack' | 'clock' | 'log'>,
  { scan, advertise }: AdapterPair,
  emulated?: EmulatedRssi,
): Promise<OnAir> {
  const radio = await openBleRadio({
    ...settings,
    scanAdapter: scan,
    advertiseAdapter: advertise,
    ...(emulated && { modelledRssi: (address) => emulated.rssiOf(address) }),
  });
  const { central, server, trouble } = radio;
  const scanner = emulated?.inReach(radio.scanner) ?? radio.scanner;
  const advertiser = emulated?.announced(radio.advertiser) ?? radio.advertiser;
  const close = async (): Promise<void> => {
    await radio.close();
    emulated?.close();
  };
  return { scanner, advertiser, central, server, lost: NEVER, close, ...(trouble && { trouble }) };
}

/** A modelled strength in a report from a real radio would be a false measurement. */
function requireEmulator({ scan, advertise }: AdapterPair): void {
  if (scan.kind === 'unix' && advertise.kind === 'unix') return;
  throw usage(
    '--emulated-rssi is for a controller emulator (unix:/path): real adapters measure signal strengths',
  );
}

function requireNone(options: AirOptions, names: readonly (keyof AirOptions)[], why: string): void {
  for (const name of names) {
    if (options[name] === undefined) continue;
    throw usage(`--${name.replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`)} goes ${why}`);
  }
}

function adapterPair(text: string): AdapterPair {
  const [scan, advertise, ...more] = text.split(',').map((one) => one.trim());
  if (!scan || !advertise || more.length > 0)
    throw new InvalidArgumentError(
      'it takes two adapters, such as hci0,hci1: one to scan and connect, one to advertise and serve.',
    );
  return { scan: adapter(scan), advertise: adapter(advertise) };
}

function adapter(text: string): AdapterName {
  try {
    return parseAdapter(text);
  } catch (error) {
    throw new InvalidArgumentError((error as Error).message);
  }
}
