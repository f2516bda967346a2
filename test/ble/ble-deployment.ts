/** A deployment whose tags and gateways are processes on Bluetooth: real noble and bleno over BlueZ's controller emulator. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { writeAtomically } from '../../cli/files/atomic-file.js';
import { openFolderClock } from '../../cli/days/folder-clock.js';
import type { Clock } from '../../protocol/clock.js';
import { newDeployment, untilIn } from '../journey/deployment.js';
import type { Deployment } from '../journey/deployment.js';
import { startEmulator } from './emulator.js';
import type { Emulator } from './emulator.js';

/** The two adapters of a party: the first scans and connects, the second advertises and serves. */
export type AdapterPair = readonly [string, string];

export interface Walk {
  /** Deployment seconds after the walk was scripted. */
  readonly at: number;
  readonly who: string;
  readonly x: number;
  readonly y: number;
}

export class BleDeployment {
  readonly dir: string;
  readonly emulator: Emulator;
  readonly deployment: Deployment;
  readonly clock: Clock;

  constructor(dir: string, emulator: Emulator, deployment: Deployment, clock: Clock) {
    this.dir = dir;
    this.emulator = emulator;
    this.deployment = deployment;
    this.clock = clock;
  }

  get adapter(): string {
    return `unix:${this.emulator.socket}`;
  }

  nowSeconds(): number {
    return this.clock.nowMs() / 1000;
  }

  startTag(number: number, adapters: AdapterPair = [this.adapter, this.adapter]) {
    const run = ['tag', 'run', '--number', String(number), ...this.#onAir(adapters)];
    return this.deployment.start(`tag ${number}`, ...run);
  }

  startGateway(name: string, adapters: AdapterPair = [this.adapter, this.adapter]) {
    return this.deployment.start(name, 'gateway', 'run', '--name', name, ...this.#onAir(adapters));
  }

  /** Ledger with its broker, authority, tracer. */
  async startTheRest(): Promise<void> {
    const rest = ['ledger', 'authority', 'tracer'].map((room) => this.deployment.start(room, room, 'run'));
    await Promise.all(rest.map(({ up }) => up));
  }

  /** Replaces the script of who stands where from now on; gives when it begins, deployment seconds. */
  async walk(walks: readonly Walk[]): Promise<number> {
    const start = Math.ceil(this.nowSeconds());
    const lines = walks.map(({ at, who, x, y }) => `${start + at} ${who} ${x} ${y}`);
    await writeAtomically(this.#movement, `${lines.join('\n')}\n`);
    return start;
  }

  wait<T>(what: string, look: () => T | undefined | Promise<T | undefined>, everyMs?: number) {
    return untilIn(this.deployment, what, look, everyMs);
  }

  /** Tags that have a report on its way, without a receipt yet. */
  uploading(tags: readonly number[]): readonly number[] {
    return tags.filter((number) => this.deployment.tag(number)?.chain.outstanding !== undefined);
  }

  /** Everything that closed so far was delivered by these tags, and by these gateways to the ledger. */
  async isQuiet(tags: readonly number[], gateways: readonly string[]): Promise<boolean> {
    const statuses = await Promise.all(tags.map((number) => this.deployment.tagStatus(number)));
    const hubs = await Promise.all(gateways.map((name) => this.deployment.gatewayStatus(name)));
    const delivered = statuses.every(({ waiting }) => waiting === 0) && this.uploading(tags).length === 0;
    return delivered && hubs.every(({ courier }) => courier.online && courier.depth === 0);
  }

  async close(): Promise<void> {
    await this.deployment.killAll();
    await this.emulator.stop();
    await rm(this.dir, { recursive: true, force: true });
  }

  get #movement(): string {
    return join(this.dir, 'movement');
  }

  #onAir(adapters: AdapterPair): readonly string[] {
    return ['--radio', 'ble', '--adapters', adapters.join(','), '--emulated-rssi', this.#movement];
  }
}

/** A folder and an emulator; nobody runs yet, and nobody is anywhere. */
export async function newBleDeployment(rate: number): Promise<BleDeployment> {
  const emulator = await startEmulator();
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-ble-'));
  try {
    await writeFile(join(dir, 'movement'), '');
    const deployment = await newDeployment(join(dir, 'data'), '2026-03-02T08:00', rate);
    return new BleDeployment(dir, emulator, deployment, await openFolderClock(deployment.folder));
  } catch (error) {
    await emulator.stop();
    await rm(dir, { recursive: true, force: true });
    throw error;
  }
}
