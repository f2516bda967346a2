/** Stages for the radio contract, one for each air. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveClock } from '../../host/clock-live.js';
import { virtualClock } from '../../host/clock-virtual.js';
import type { VirtualClock } from '../../host/clock-virtual.js';
import { silentLog } from '../../protocol/log.js';
import { openMemoryAir } from '../../radio/air/air-memory.js';
import { openReplayAir } from '../../radio/air/air-replay-hosted.js';
import { connectAir } from '../../radio/socket/air-socket-client.js';
import { serveAir } from '../../radio/socket/air-socket-server.js';
import type { Clock } from '../../protocol/clock.js';
import type { AirAddress } from '../../radio/socket/socket-address.js';
import { STAGE_TIMEOUT_MS } from '../contracts/radio-contract.js';
import type { RadioStage } from '../contracts/radio-contract.js';
import { program } from '../program.js';

const NEAR = { x: 2, y: 0 };
export const STAGE_GATT = { timeoutMs: STAGE_TIMEOUT_MS, latencyMs: 5 };

type Time = Pick<RadioStage, 'drive' | 'pass'>;

const live = (clock: Clock): Time => ({ drive: (work) => work, pass: (ms) => clock.sleep(ms) });
const virtual = (clock: VirtualClock): Time => ({
  drive: (work) => clock.drive(work),
  pass: (ms) => clock.advance(ms),
});

export async function memoryLive(): Promise<RadioStage> {
  const clock = liveClock();
  const air = openMemoryAir({ clock, seed: 1, gatt: STAGE_GATT });
  return {
    tag: air.join('tag'),
    gateway: air.join('gateway', NEAR),
    ...live(clock),
    close: () => air.close(),
  };
}

export async function memoryVirtual(): Promise<RadioStage> {
  const clock = virtualClock(1_700_006_400_000);
  const air = openMemoryAir({ clock, seed: 1, gatt: STAGE_GATT });
  return {
    tag: air.join('tag'),
    gateway: air.join('gateway', NEAR),
    ...virtual(clock),
    close: () => air.close(),
  };
}

export async function replayVirtual(): Promise<RadioStage> {
  const clock = virtualClock(1_700_006_400_000);
  const air = openReplayAir({ clock, contacts: [], gatt: STAGE_GATT });
  return { tag: air.join('tag'), gateway: air.join('gateway'), ...virtual(clock), close: () => air.close() };
}

/** Two radios on an air behind a socket of this process. */
export async function socketOver(at: AirAddress): Promise<RadioStage> {
  const clock = liveClock();
  const air = openMemoryAir({ clock, seed: 1, gatt: STAGE_GATT });
  const server = await serveAir({ at, join: ({ name, place }) => air.join(name, place), log: silentLog });
  const tag = await connectAir({ at: server.address, name: 'tag' });
  const gateway = await connectAir({ at: server.address, name: 'gateway', place: NEAR });
  const close = async (): Promise<void> => {
    await Promise.all([tag.close(), gateway.close(), server.close()]);
    await air.close();
  };
  return { tag, gateway, ...live(clock), close };
}

/** Two radios on an air that another process hosts. */
export async function socketToProcess(): Promise<RadioStage> {
  const folder = await mkdtemp(join(tmpdir(), 'air-'));
  const at = { path: join(folder, 'air.sock') };
  const host = startAirProcess('host', at.path);
  const tag = await connectAir({ at, name: 'tag', patienceMs: 20_000 });
  const gateway = await connectAir({ at, name: 'gateway', place: NEAR });
  const close = async (): Promise<void> => {
    await Promise.all([tag.close(), gateway.close()]);
    await endProcess(host);
    await rm(folder, { recursive: true });
  };
  return { tag, gateway, ...live(liveClock()), close };
}

const AIR_PROCESS = new URL('./air-process.ts', import.meta.url);

/** Runs air-process.ts: 'host' hosts an air at `path`; 'serve' joins it as a gateway and answers reads. */
export function startAirProcess(role: 'host' | 'serve', path: string): ChildProcess {
  return fork(program(AIR_PROCESS), [role, path], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

export async function endProcess(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
