/**
 * A place on the air of Bluetooth LE: noble scans and connects on one adapter, bleno advertises and serves on another. Both are
 * one instance per process, and so is a radio; they cannot be let go of again, so a process opens one in its life. They keep a
 * timer for good, too: a process that has closed its radio ends by process.exit().
 */
import type { EventEmitter } from 'node:events';
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Log } from '../../protocol/log.js';
import type { Radio, RadioAddress } from '../contract.js';
import { adapterText } from './adapter-name.js';
import type { AdapterName } from './adapter-name.js';
import { BleAdvertiser } from './ble-advertiser.js';
import { BleCentral } from './ble-central.js';
import { BleGattServer } from './ble-gatt-server.js';
import { BleScanner } from './ble-scanner.js';
import { bleTrouble } from './ble-trouble.js';
import { DEFAULT_TIMES } from './ble-times.js';
import type { BleTimes } from './ble-times.js';
import type { Controller } from './controller.js';
import { dropPacketsOfGoneLinks } from './drop-gone-links.js';
import { hciSocketFor } from './hci-socket.js';
import { logWarnings } from './noble-warnings.js';
import { openAdapter } from './open-adapter.js';
import type { ScanDuty } from './private-commands.js';
import { restarterOf } from './restart-role.js';
import { eventOf } from './settle.js';
import { loadBleno, loadNoble, requireInstalled } from './stack.js';
import type { StackName } from './stack.js';

export interface BleSettings {
  /** Scans and connects (noble). */
  readonly scanAdapter: AdapterName;
  /** Advertises and serves (bleno). Never the same as scanAdapter. */
  readonly advertiseAdapter: AdapterName;
  /** Published packages to use. */
  readonly stack: StackName;
  readonly clock: Clock;
  readonly log: Log;
  /**
   * Signal strength where the controller gives none, dBm: the one place where a modelled RSSI enters. Absent: a sighting
   * without RSSI stays without.
   */
  readonly modelledRssi?: (address: RadioAddress, advert: Uint8Array) => number | undefined;
  /** Listening 30 ms of every 100 when absent. */
  readonly scanDuty?: ScanDuty;
  readonly times?: Partial<BleTimes>;
}

const DEFAULT_DUTY: ScanDuty = { intervalMs: 100, windowMs: 30 };

let opened = false;

/**
 * Opens both adapters and has noble and bleno ready on them. Rejects with one sentence and the command that mends it:
 * `not-found` (package or adapter missing), `unreachable` (kernel without Bluetooth, adapter down, nothing behind the
 * socket), `permission`, `usage` (one adapter for both roles; a serial port with the wrong stack), `timeout`, and `exists` when
 * this process had a radio already.
 */
export async function openBleRadio(settings: BleSettings): Promise<Radio> {
  if (opened) {
    throw new FirebreakError(
      'exists',
      'this process has opened a Bluetooth radio already; start another process',
    );
  }
  checkAdapters(settings.scanAdapter, settings.advertiseAdapter);
  requireInstalled(settings.stack);
  const controllers = await openControllers(settings);
  opened = true; // from here on noble and bleno may be loaded
  try {
    return await openRoles(settings, controllers);
  } catch (error) {
    closeAll(controllers);
    throw error;
  }
}

interface Controllers {
  readonly scan: Controller;
  readonly advertise: Controller;
}

function checkAdapters(scan: AdapterName, advertise: AdapterName): void {
  if (scan.kind === 'unix' || adapterText(scan) !== adapterText(advertise)) return;
  throw sameAdapter(scan);
}

function sameAdapter(name: AdapterName): FirebreakError {
  return new FirebreakError(
    'usage',
    `${adapterText(name)} cannot both scan and advertise: a node needs two adapters; plug in a second one and name both, e.g. --adapters hci0,hci1`,
  );
}

async function openControllers(settings: BleSettings): Promise<Controllers> {
  const { stack, log, scanDuty: duty = DEFAULT_DUTY } = settings;
  const scan = await openAdapter(settings.scanAdapter, { stack, log, duty });
  try {
    const advertise = await openAdapter(settings.advertiseAdapter, { stack, log, duty });
    if (advertise.address !== scan.address) return { scan: scan.controller, advertise: advertise.controller };
    advertise.controller.close();
    throw sameAdapter(settings.advertiseAdapter);
  } catch (error) {
    scan.controller.close();
    throw error;
  }
}

async function openRoles(settings: BleSettings, controllers: Controllers): Promise<Radio> {
  const { stack, clock, log, modelledRssi } = settings;
  const times = { ...DEFAULT_TIMES, ...settings.times };
  const interrupts = process.listeners('SIGINT');
  const noble = loadNoble(stack, hciSocketFor(controllers.scan));
  dropPacketsOfGoneLinks(noble);
  const bleno = loadBleno(stack, hciSocketFor(controllers.advertise));
  logWarnings(noble, log);
  await Promise.all([poweredOn(noble, times.powerOnMs), poweredOn(bleno, times.powerOnMs)]);
  keepInterrupts(interrupts);
  const scanner = new BleScanner({ noble, controller: controllers.scan, clock, log, modelledRssi });
  const central = new BleCentral({ noble, controller: controllers.scan, scanner, times });
  const advertiser = new BleAdvertiser({ controller: controllers.advertise, clock, log });
  const server = new BleGattServer({ bleno, controller: controllers.advertise, times, log });
  follow(controllers, { scanner, central, advertiser, server });
  const isUp = { scan: () => controllers.scan.isUp(), advertise: () => controllers.advertise.isUp() };
  const rescan = { restart: () => scanner.restart(), isUp: isUp.scan, log };
  const readvertise = { restart: () => advertiser.restart(), isUp: isUp.advertise, log };
  noble.on('stateChange', restarterOf({ role: 'scanning', ...rescan }));
  bleno.on('stateChange', restarterOf({ role: 'advertising', ...readvertise }));
  const close = async (): Promise<void> => {
    await Promise.allSettled([scanner.stop(), advertiser.stop(), server.stop(), central.close()]);
    scanner.close();
    for (const library of [noble, bleno]) library.removeAllListeners('stateChange');
    closeAll(controllers);
  };
  const trouble = (): string | undefined =>
    bleTrouble(
      { name: settings.scanAdapter, isUp: isUp.scan(), isFailing: scanner.isFailing },
      { name: settings.advertiseAdapter, isUp: isUp.advertise(), isFailing: advertiser.isFailing },
    );
  return { scanner, central, advertiser, server, trouble, close };
}

/** Both libraries end the process at SIGINT when theirs is the last listener; when to end is for the process to say. */
function keepInterrupts(before: readonly NodeJS.SignalsListener[]): void {
  for (const listener of process.listeners('SIGINT')) {
    if (!before.includes(listener)) process.removeListener('SIGINT', listener);
  }
}

async function poweredOn(library: EventEmitter, timeoutMs: number): Promise<void> {
  for (let waiting = true; waiting;) {
    const [state] = await eventOf(library, 'stateChange', timeoutMs, () => undefined);
    waiting = state !== 'poweredOn';
    if (state === 'unsupported') {
      throw new FirebreakError(
        'unreachable',
        'this adapter has no Bluetooth LE; use one of version 4.0 or later',
      );
    }
  }
}

interface Roles {
  readonly scanner: BleScanner;
  readonly central: BleCentral;
  readonly advertiser: BleAdvertiser;
  readonly server: BleGattServer;
}

function follow({ scan, advertise }: Controllers, { scanner, central, advertiser, server }: Roles): void {
  scan.events = {
    onAdvert: (report) => {
      central.hear(report);
      scanner.hear(report);
    },
    onConnected: (handle, isServer) => (isServer ? undefined : central.connected(handle)),
    onDisconnected: (handle) => central.disconnected(handle),
    onAttribute: (handle, pdu) => central.attribute(handle, pdu),
  };
  advertise.events = {
    onConnected: (handle, isServer) => (isServer ? server.connected(handle) : undefined),
    onDisconnected: (handle) => {
      server.disconnected(handle);
      advertiser.advertNow();
    },
    onUp: (isUp) => (isUp ? undefined : advertiser.suspend()),
  };
}

function closeAll({ scan, advertise }: Controllers): void {
  scan.close();
  advertise.close();
}
