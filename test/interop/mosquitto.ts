/** Debian's mosquitto as somebody else's broker, on loopback. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { requirePackages } from './debian.js';

const PROGRAM = '/usr/sbin/mosquitto';
const START_TIMEOUT_MS = 10_000;

export interface Mosquitto {
  readonly url: string;
  readonly port: number;
  /** SIGKILL: what it kept in memory is gone. */
  kill(): Promise<void>;
}

/** Starts it on `port`, or a free one; its configuration goes to `folder`. */
export async function startMosquitto(folder: string, port?: number): Promise<Mosquitto> {
  await requirePackages([{ name: 'mosquitto', file: PROGRAM }]);
  const chosen = port ?? (await freePort());
  const config = join(folder, `mosquitto-${chosen}.conf`);
  const lines = [
    `listener ${chosen} 127.0.0.1`,
    'allow_anonymous true',
    'persistence false',
    'user root',
    '',
  ];
  await writeFile(config, lines.join('\n'));
  const child = spawn(PROGRAM, ['-c', config], { stdio: 'ignore' });
  await ready(child, chosen);
  return { url: `mqtt://127.0.0.1:${chosen}`, port: chosen, kill: () => kill(child) };
}

async function kill(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

/** Free a moment ago. */
export async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (typeof address === 'object' && address !== null) return address.port;
  throw new Error('no free port on loopback');
}

async function ready(child: ChildProcess, port: number): Promise<void> {
  const endMs = Date.now() + START_TIMEOUT_MS;
  while (!(await accepts(port))) {
    if (child.exitCode !== null)
      throw new Error(`mosquitto ended with ${child.exitCode}; is port ${port} taken?`);
    if (Date.now() > endMs) throw new Error('mosquitto did not start in time');
    await sleep(50);
  }
}

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true)).once('error', () => resolve(false));
    socket.once('connect', () => socket.destroy());
  });
}
