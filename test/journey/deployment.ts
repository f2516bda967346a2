/** A whole deployment on one folder, each party a process of its own. */
import { join } from 'node:path';
import type { Config } from '../../cli/folder/config.js';
import { readConfig } from '../../cli/folder/config.js';
import { folderAt, gatewayFolder, tagFolder } from '../../cli/folder/folder.js';
import type { DataFolder } from '../../cli/folder/folder.js';
import { gatewayStatusSchema } from '../../cli/present/gateway-screen.js';
import { tagStatusSchema } from '../../cli/present/tag-screen.js';
import { readStatus } from '../../cli/files/status-file.js';
import { loadTagState } from '../../firmware-sim/tag/tag-store-file.js';
import type { TagState } from '../../firmware-sim/tag/tag-state.js';
import { runFirebreak, startFirebreak, until } from '../cli/firebreak-process.js';
import type { Ended, FirebreakProcess } from '../cli/firebreak-process.js';

/** Room for a busy machine; an idle one takes some tens of ms. */
const STOP_WITHIN_MS = 25_000;

export class Deployment {
  readonly folder: DataFolder;
  readonly config: Config;
  readonly #running = new Map<string, FirebreakProcess>();

  constructor(folder: DataFolder, config: Config) {
    this.folder = folder;
    this.config = config;
  }

  /** Starts a party; `up` resolves when it says that it is up. */
  start(name: string, ...args: readonly string[]): { readonly up: Promise<void> } {
    const started = startFirebreak([...args, '--data-dir', this.folder.dir], name);
    this.#running.set(name, started);
    return { up: started.says('is up') };
  }

  pidOf(name: string): number | undefined {
    return this.#running.get(name)?.child.pid;
  }

  /** SIGKILL, whatever it is doing. Resolves when it is gone. */
  async kill(name: string): Promise<void> {
    await this.#take(name).kill();
  }

  /** Does `work`, after which the party is expected to end by itself. */
  async endsAfter(name: string, work: () => Promise<void>): Promise<Ended & { readonly stderr: string }> {
    const party = this.#take(name);
    await work();
    const late = new Promise<undefined>((resolve) => setTimeout(() => resolve(undefined), STOP_WITHIN_MS));
    const how = await Promise.race([party.ended, late]);
    if (how !== undefined) return { ...how, stderr: party.stderr() };
    await party.kill();
    throw new Error(`${name} did not end within ${STOP_WITHIN_MS / 1000} s`);
  }

  /** Asks all that run to stop, at once. Throws when one does not end in time; gives how each ended. */
  async stopAll(): Promise<ReadonlyMap<string, Ended>> {
    const ended = new Map<string, Ended>();
    const stopping = [...this.#running.values()];
    for (const { child } of stopping) child.kill('SIGTERM');
    const deadline = performance.now() + STOP_WITHIN_MS;
    for (const { name, ended: end } of stopping) {
      const late = new Promise<undefined>((resolve) =>
        setTimeout(() => resolve(undefined), deadline - performance.now()),
      );
      const how = await Promise.race([end, late]);
      if (how === undefined) throw new Error(`${name} did not stop within ${STOP_WITHIN_MS / 1000} s`);
      ended.set(name, how);
      this.#running.delete(name);
    }
    return ended;
  }

  async killAll(): Promise<void> {
    for (const name of [...this.#running.keys()]) await this.kill(name);
  }

  /** What the parties said, for whoever has to find out what went wrong. */
  said(): string {
    return [...this.#running.values()].map(({ name, stderr }) => `== ${name}\n${stderr()}`).join('\n');
  }

  /** The durable state of a tag: what survives a kill. */
  tag(number: number): TagState | undefined {
    return loadTagState(join(tagFolder(this.folder, number).state, 'tag.json'), this.config.settings);
  }

  async tagStatus(number: number) {
    const { status } = tagFolder(this.folder, number);
    return (await readStatus(this.folder, status, `tag ${number}`, tagStatusSchema)).status;
  }

  async gatewayStatus(name = 'hub-1') {
    const { status } = gatewayFolder(this.folder, name);
    return (await readStatus(this.folder, status, 'the gateway', gatewayStatusSchema)).status;
  }

  #take(name: string): FirebreakProcess {
    const running = this.#running.get(name);
    if (running === undefined) throw new Error(`${name} does not run`);
    this.#running.delete(name);
    return running;
  }
}

/** Makes a folder whose clock starts at `start` and runs `rate` times as fast as the wall's. */
export async function newDeployment(dir: string, start: string, rate: number): Promise<Deployment> {
  const clock = ['--clock-start', start, '--clock-rate', String(rate)];
  const { code, stderr } = await runFirebreak('authority', 'init', '--replay', '--data-dir', dir, ...clock);
  if (code !== 0) throw new Error(`authority init failed: ${stderr}`);
  const folder = folderAt(dir);
  return new Deployment(folder, await readConfig(folder));
}

/** As `until`, with what the parties said when it does not come. */
export async function untilIn<T>(
  deployment: Deployment,
  what: string,
  look: () => T | undefined | Promise<T | undefined>,
  everyMs?: number,
): Promise<NonNullable<T>> {
  try {
    return await until(what, look, everyMs === undefined ? {} : { everyMs });
  } catch (error) {
    throw new Error(`${(error as Error).message}\n${deployment.said()}`, { cause: error });
  }
}
