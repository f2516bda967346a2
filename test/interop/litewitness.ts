/** litewitness, a C2SP tlog-witness by Filippo Valsorda, on loopback. Its key lives in an ssh-agent, as it wants it. */
import { execFile, spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { access, mkdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { parseCosignerKey, type Cosigner } from '../../protocol/tlog/cosignature.js';
import { until } from '../cli/firebreak-process.js';
import { requirePackages } from './debian.js';
import { forky } from './forky.js';
import { freePort } from './mosquitto.js';

const run = promisify(execFile);

export interface Litewitness {
  readonly name: string;
  /** As it says itself. */
  readonly vkey: string;
  readonly cosigner: Cosigner;
  readonly url: string;
  /** POSTs an add-checkpoint body. */
  post(body: string): Promise<Response>;
  /** What `witnessctl list-logs` says it cosigned last of a log. */
  cosignedSize(origin: string): Promise<number | undefined>;
  /** SIGKILL, of its agent too; its key and database stay in the folder. May be called twice. */
  kill(): Promise<void>;
}

export interface TrustedKey {
  readonly origin: string;
  readonly vkey: string;
}

/** Starts one on `folder`, which is made, with a new key where it holds none; `logs` are added to those it trusts. */
export async function startLitewitness(
  folder: string,
  name: string,
  logs: readonly TrustedKey[] = [],
): Promise<Litewitness> {
  await requirePackages([{ name: 'openssh-client', file: '/usr/bin/ssh-agent' }]);
  const bin = join((await forky()).root, 'usr/bin');
  const db = join(folder, 'witness.db');
  const witnessctl = (command: string, ...args: string[]) =>
    run(join(bin, 'witnessctl'), [command, '-db', db, ...args]);
  const started: ChildProcess[] = [];
  const kill = async (): Promise<void> => void (await Promise.all(started.map(killed)));
  try {
    const fingerprint = await startAgent(folder, started);
    for (const { origin, vkey } of logs) {
      await witnessctl('add-log', '-origin', origin);
      await witnessctl('add-key', '-origin', origin, '-key', vkey);
    }
    const at = `127.0.0.1:${await freePort()}`;
    const flags = { name, db, 'ssh-agent': socketIn(folder), listen: at, key: fingerprint };
    const vkey = await startProgram(join(bin, 'litewitness'), flags, started);
    const url = `http://${at}`;
    await until('litewitness to answer', () => succeeds(fetch(url)));
    return {
      name,
      vkey,
      cosigner: parseCosignerKey(vkey),
      url,
      post: (body) => fetch(`${url}/add-checkpoint`, { method: 'POST', body }),
      cosignedSize: async (origin) => sizeIn((await witnessctl('list-logs')).stdout, origin),
      kill,
    };
  } catch (error) {
    await kill();
    throw error;
  }
}

const socketIn = (folder: string): string => join(folder, 'agent');

const succeeds = (trying: Promise<unknown>): Promise<true | undefined> =>
  trying.then(
    () => true,
    () => undefined,
  );

/** An ssh-agent that holds the key of the folder; gives the key's fingerprint. */
async function startAgent(folder: string, started: ChildProcess[]): Promise<string> {
  await mkdir(folder, { recursive: true, mode: 0o700 });
  const key = join(folder, 'key');
  const hasKey = await succeeds(access(key));
  if (!hasKey) await run('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', '', '-f', key]);
  const socket = socketIn(folder);
  await rm(socket, { force: true }); // of one that was killed
  started.push(spawn('ssh-agent', ['-D', '-a', socket], { stdio: 'ignore' }));
  const env = { ...process.env, SSH_AUTH_SOCK: socket };
  await until('the ssh-agent to take the key', () => succeeds(run('ssh-add', ['-q', key], { env })));
  const { stdout } = await run('ssh-keygen', ['-l', '-f', key]);
  return stdout.split(' ')[1] ?? '';
}

/** Gives the verifier key that it says it has. */
async function startProgram(
  program: string,
  flags: Readonly<Record<string, string>>,
  started: ChildProcess[],
): Promise<string> {
  const args = Object.entries(flags).flatMap(([flag, value]) => [`-${flag}`, value]);
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe'] });
  started.push(child);
  let said = '';
  child.stderr.setEncoding('utf8').on('data', (text: string) => (said += text));
  return until('litewitness to say its key', () => {
    if (child.exitCode !== null) throw new Error(`litewitness ended with ${child.exitCode}:\n${said}`);
    return / vkey=(\S+)\n/.exec(said)?.[1];
  });
}

function sizeIn(list: string, origin: string): number | undefined {
  const logs = list.trim().split('\n').map((line): unknown => JSON.parse(line)); // prettier-ignore
  for (const log of logs) if (isListed(log) && log.origin === origin) return log.size;
  return undefined;
}

const isListed = (log: unknown): log is { origin: string; size: number } =>
  typeof log === 'object' && log !== null && 'origin' in log && 'size' in log && typeof log.size === 'number';

async function killed(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}
