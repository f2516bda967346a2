/**
 * BlueZ's controller emulator for tests: every client of its socket is a Bluetooth controller, and all of them share one air.
 * It holds 16 controllers; a node takes two, one to scan and connect, one to advertise.
 */
import { spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { btvirtProgram, btvirtShim } from './btvirt-files.js';

export interface Emulator {
  /** The unix socket on which each connection is one controller, speaking H4. */
  readonly socket: string;
  stop(): Promise<void>;
}

/** btvirt has its own socket folder fixed to /tmp: without a shim only one can run on a machine. */
const SHARED = '/tmp';
const LOCK = '/tmp/firebreak-btvirt.lock';
const LOCK_MS = 600_000;
const START_MS = 10_000;
/** Of the kinds of controller it offers the one that knows both LE and READ_RSSI. */
const KIND = 'bt-server-bredrle';

/** Starts an emulator of one's own. Throws with the reason, and what would mend it, where it cannot run. */
export async function startEmulator(): Promise<Emulator> {
  const program = await btvirtProgram();
  const shim = await btvirtShim().catch((error: unknown) => error);
  if (typeof shim === 'string') return startShimmed(program, shim);
  return startShared(program, shim); // no compiler; the kernel may do without
}

async function startShimmed(program: string, shim: string): Promise<Emulator> {
  const folder = await mkdtemp(join(tmpdir(), 'btvirt-'));
  const clean = (): Promise<void> => rm(folder, { recursive: true, force: true });
  const child = launch(program, { LD_PRELOAD: shim, BTVIRT_FOLDER: folder });
  return answering(child, join(folder, KIND), clean);
}

async function startShared(program: string, whyNoShim: unknown): Promise<Emulator> {
  await takeLock();
  const child = launch(program, {});
  const clean = (): Promise<void> => rm(LOCK, { recursive: true, force: true });
  try {
    return await answering(child, join(SHARED, KIND), clean);
  } catch (error) {
    throw new Error(
      `btvirt does not run here without its shim, and that cannot be built: ${String(whyNoShim)}`,
      {
        cause: error,
      },
    );
  }
}

/**
 * A client that is killed while it is written to must not take btvirt with it, as SIGPIPE does unless it is ignored; and btvirt
 * ends with us, however we end.
 */
function launch(program: string, env: Readonly<Record<string, string>>): ChildProcess {
  return spawn('sh', ['-c', 'trap "" PIPE; exec setpriv --pdeathsig KILL "$0" -s', program], {
    env: { ...process.env, ...env },
    stdio: ['ignore', 'ignore', 'inherit'],
  });
}

async function answering(child: ChildProcess, socket: string, clean: () => Promise<void>): Promise<Emulator> {
  const killed = (): void => void child.kill('SIGKILL');
  process.once('exit', killed);
  const stop = async (): Promise<void> => {
    process.removeListener('exit', killed);
    await end(child);
    await clean();
  };
  const endMs = performance.now() + START_MS;
  while (!(await answersReset(socket))) {
    if (performance.now() > endMs || child.exitCode !== null) {
      await stop();
      throw new Error(`btvirt started but no controller answers on ${socket}`);
    }
    await pause(50);
  }
  return { socket, stop };
}

/** Whether a controller on that socket completes HCI_Reset (Bluetooth Core, Vol 4, Part E, 7.3.2). */
function answersReset(socket: string): Promise<boolean> {
  return new Promise((resolve) => {
    const probe = connect(socket);
    const settle = (answers: boolean): void => {
      clearTimeout(timer);
      probe.destroy();
      resolve(answers);
    };
    const timer = setTimeout(() => settle(false), 1_000);
    probe.on('connect', () => probe.write(Buffer.from('01030c00', 'hex')));
    probe.on('data', (data) => settle(data.toString('hex').startsWith('040e0401030c00')));
    probe.on('error', () => settle(false));
    probe.on('close', () => settle(false));
  });
}

async function end(child: ChildProcess): Promise<void> {
  if (child.exitCode !== null || child.signalCode !== null) return;
  const gone = once(child, 'exit');
  child.kill('SIGKILL');
  await gone;
}

async function takeLock(): Promise<void> {
  const endMs = performance.now() + LOCK_MS;
  while (performance.now() < endMs) {
    try {
      await mkdir(LOCK);
      await writeFile(join(LOCK, 'pid'), String(process.pid));
      return;
    } catch {
      await dropStaleLock();
      await pause(500);
    }
  }
  throw new Error(`another run holds the emulator's sockets in ${SHARED}; if none does, remove ${LOCK}`);
}

async function dropStaleLock(): Promise<void> {
  const pid = Number(await readFile(join(LOCK, 'pid'), 'utf8').catch(() => '0'));
  if (pid === 0) return; // being written just now
  try {
    process.kill(pid, 0);
  } catch {
    await rm(LOCK, { recursive: true, force: true });
  }
}
