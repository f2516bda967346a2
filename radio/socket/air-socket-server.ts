/**
 * Hosts an air for other processes of this machine over a local socket (`firebreak air run`). Each process that connects
 * gets one node. A process that dies, however it dies, leaves the air: the kernel closes its socket, and the others see
 * its connections end.
 *
 * What is dropped: sightings for a process that reads too slowly (counted). Never GATT traffic: a process that lets that
 * pile up beyond the bound of socket-channel.ts is disconnected instead.
 */
import { chmod, lstat, unlink } from 'node:fs/promises';
import { connect, createServer } from 'node:net';
import type { Server, Socket } from 'node:net';
import type { Log } from '../../protocol/log.js';
import { FirebreakError } from '../../protocol/errors.js';
import { AirSocketSession } from './air-socket-session.js';
import type { JoinRequest } from './air-socket-session.js';
import type { Radio } from '../contract.js';
import { addressText, socketOptions } from './socket-address.js';
import type { AirAddress } from './socket-address.js';

export interface AirServerDeps {
  readonly at: AirAddress;
  /** Puts a node on the hosted air, e.g. `({name, place}) => air.join(name, place)`. */
  readonly join: (request: JoinRequest) => Radio;
  readonly log: Log;
  /** Wall ms after which a process that does not answer a GATT request has failed it. */
  readonly timeoutMs?: number;
  readonly maxProcesses?: number;
}

export interface AirServerStatus {
  readonly processes: number;
  readonly droppedSightings: number;
}

export interface AirServer {
  /** Where it listens: with the port it was given when the port asked for was 0. */
  readonly address: AirAddress;
  status(): AirServerStatus;
  /** Disconnects every process. The air behind it is the caller's to close. */
  close(): Promise<void>;
}

/** A little more than a GATT exchange may take, so that its own time-out speaks first. */
const TIMEOUT_MS = 35_000;
const MAX_PROCESSES = 1024;

/** Throws `port-in-use` when an air, or anything else, listens there already. */
export async function serveAir(deps: AirServerDeps): Promise<AirServer> {
  const sessions = new Set<AirSocketSession>();
  let droppedSightings = 0;
  const server = createServer((socket) => {
    if (sessions.size >= (deps.maxProcesses ?? MAX_PROCESSES)) return void socket.destroy();
    const session = new AirSocketSession({
      socket,
      join: deps.join,
      onDropped: () => (droppedSightings += 1),
      onClosed: () => void sessions.delete(session),
      timeoutMs: deps.timeoutMs ?? TIMEOUT_MS,
    });
    sessions.add(session);
  });
  await listenOrReplace(server, deps.at);
  server.on('error', (error) => deps.log.error('the air socket failed', { reason: error.message }));
  return {
    address: boundAddress(server, deps.at),
    status: () => ({ processes: sessions.size, droppedSightings }),
    close: async () => {
      const closed = new Promise<void>((resolve) => server.close(() => resolve()));
      await Promise.all([...sessions].map((session) => session.close()));
      await closed;
    },
  };
}

function boundAddress(server: Server, asked: AirAddress): AirAddress {
  const bound = server.address();
  if ('path' in asked || bound === null || typeof bound === 'string') return asked;
  return { host: asked.host, port: bound.port };
}

/** Whether this is a socket that nobody answers behind. A file of another kind is somebody's, and stays. */
async function isLeftOver(at: { readonly path: string }): Promise<boolean> {
  return (await lstat(at.path)).isSocket() && !(await somebodyAnswers(at));
}

/** A unix socket file outlives a killed air; it is replaced when nobody answers behind it. */
async function listenOrReplace(server: Server, at: AirAddress): Promise<void> {
  try {
    await listen(server, at);
  } catch (error) {
    if (!isInUse(error)) throw error;
    if (!('path' in at) || !(await isLeftOver(at))) {
      throw new FirebreakError(
        'port-in-use',
        `${addressText(at)} is in use: is an air running there already?`,
        {
          cause: error,
        },
      );
    }
    await unlink(at.path);
    await listen(server, at);
  }
  if ('path' in at) await chmod(at.path, 0o600); // the air trusts who connects
}

function listen(server: Server, at: AirAddress): Promise<void> {
  return new Promise((resolve, reject) => {
    server.once('error', reject);
    server.listen(socketOptions(at), () => {
      server.removeListener('error', reject);
      resolve();
    });
  });
}

function isInUse(error: unknown): boolean {
  return error instanceof Error && 'code' in error && error.code === 'EADDRINUSE';
}

function somebodyAnswers(at: AirAddress): Promise<boolean> {
  return new Promise((resolve) => {
    const probe: Socket = connect(socketOptions(at));
    const end = (answered: boolean): void => {
      probe.destroy();
      resolve(answered);
    };
    probe.once('connect', () => end(true));
    probe.once('error', () => end(false));
    probe.setTimeout(1_000, () => end(true));
  });
}
