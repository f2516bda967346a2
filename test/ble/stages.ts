/** Stages for the radio contract over Bluetooth: two nodes, each a process with two adapters. */
import { fork } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { liveClock } from '../../host/clock-live.js';
import { connectAir } from '../../radio/socket/air-socket-client.js';
import type { StackName } from '../../radio/ble/stack.js';
import type { RadioStage } from '../contracts/radio-contract.js';
import { program } from '../program.js';
import { endProcess } from '../radio/stages.js';

const BLE_PROCESS = new URL('./ble-process.ts', import.meta.url);

/** Scanning and advertising adapter, as in settings. */
export type AdapterPair = readonly [string, string];

/** Without adapters for the gateway, tag and gateway are one node that talks to itself over the air, as two adapters can. */
export async function bleStage(
  stack: StackName,
  tagOn: AdapterPair,
  gatewayOn?: AdapterPair,
): Promise<RadioStage> {
  const folder = await mkdtemp(join(tmpdir(), 'ble-'));
  const tagPath = join(folder, 'tag.sock');
  const gatewayPath = gatewayOn === undefined ? tagPath : join(folder, 'gateway.sock');
  const processes = [startRadio(tagPath, stack, tagOn)];
  if (gatewayOn !== undefined) processes.push(startRadio(gatewayPath, stack, gatewayOn));
  const end = async (): Promise<void> => {
    await Promise.all(processes.map(endProcess));
    await rm(folder, { recursive: true });
  };
  try {
    await Promise.all(processes.map(isReady));
    const tag = await connectAir({ at: { path: tagPath }, name: 'tag' });
    const gateway = await connectAir({ at: { path: gatewayPath }, name: 'gateway' });
    const clock = liveClock();
    const close = async (): Promise<void> => {
      await Promise.all([tag.close(), gateway.close()]);
      await end();
    };
    return { tag, gateway, drive: (work) => work, pass: (ms) => clock.sleep(ms), close };
  } catch (error) {
    await end();
    throw error;
  }
}

function startRadio(path: string, stack: StackName, [scan, advertise]: AdapterPair): ChildProcess {
  return fork(program(BLE_PROCESS), [path, stack, scan, advertise], {
    execArgv: [],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
}

/** Throws what kept the radio from opening. */
async function isReady(child: ChildProcess): Promise<void> {
  const ended = once(child, 'exit').then(() => ['it ended']);
  const [said] = (await Promise.race([once(child, 'message'), ended])) as readonly unknown[];
  if (said !== 'ready') throw new Error(`a Bluetooth radio did not open: ${String(said)}`);
}
