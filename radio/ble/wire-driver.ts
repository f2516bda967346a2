/** A real controller through the HCI socket package of a stack: an adapter of the host's kernel, or one on a serial port. */
import type { EventEmitter } from 'node:events';
import { constants } from 'node:os';
import { z } from 'zod';
import { FirebreakError } from '../../protocol/errors.js';
import type { HciWire, WireEvents } from './hci-wire.js';
import { loadHciSocket } from './stack.js';
import type { StackName } from './stack.js';

/** What the packages' sockets have in common. */
interface DriverSocket extends EventEmitter {
  bindRaw(index?: number, parameters?: unknown): unknown;
  start(): void;
  stop(): void;
  isDevUp(): boolean;
  setFilter(filter: Buffer): void;
  getDeviceList(): unknown;
  write(packet: Buffer): void;
}
type DriverClass = new () => DriverSocket;

const driverClass = z.custom<DriverClass>((value) => typeof value === 'function');
const driverPackage = z.object({ loadDriver: z.custom<(kind: string) => unknown>() }).or(driverClass);
const deviceList = z.array(z.object({ devId: z.number().int() }));

const POLL_MS = 1_000;
/** Longer than the second at which the libraries look whether the controller is up: they must see it down. */
const OUTAGE_MS = 2_200;
const UART_MS = 10_000;
const { EPERM, EPIPE } = constants.errno;
/** Linux's "file descriptor in bad state", which Node has no name for. */
const EBADFD = 77;

/** An adapter of the kernel. Throws `unreachable`, `not-found` or `permission` with the command that mends it. */
export function openKernelWire(stack: StackName, index: number, events: WireEvents): HciWire {
  const open = (): DriverSocket => openKernelSocket(stack, index);
  const socket = open();
  if (!socket.isDevUp()) {
    stop(socket, stack);
    throw new FirebreakError(
      'unreachable',
      `hci${index} is down or blocked; bring it up with: sudo rfkill unblock bluetooth && sudo hciconfig hci${index} up`,
    );
  }
  return new DriverWire(socket, events, stack, open);
}

function openKernelSocket(stack: StackName, index: number): DriverSocket {
  const socket = kernelSocket(stack);
  try {
    socket.bindRaw(index);
  } catch (cause) {
    throw adapterError(index, cause);
  }
  socket.setFilter(EVENTS_AND_DATA);
  socket.start();
  return socket;
}

/** The indexes of the kernel's adapters. Throws `unreachable` where the kernel has no Bluetooth. */
export function kernelAdapters(stack: StackName): number[] {
  return deviceList.parse(kernelSocket(stack).getDeviceList()).map(({ devId }) => devId);
}

/** A controller on a serial port. Rejects with `unreachable` when it does not come up. */
export async function openUartWire(port: string, baudRate: number, events: WireEvents): Promise<HciWire> {
  const socket = new (driverOf('stoprocent', 'uart'))();
  const isUp = new Promise<void>((resolve, reject) => {
    socket.on('state', (up: unknown) => (up === true ? resolve() : undefined));
    socket.on('error', reject);
    setTimeout(() => reject(new Error('no answer to a reset')), UART_MS).unref();
  });
  try {
    socket.bindRaw(undefined, { uart: { port, baudRate } });
    socket.start();
    await isUp;
  } catch (cause) {
    socket.stop();
    throw new FirebreakError(
      'unreachable',
      `no controller answers on ${port} at ${baudRate} baud; check the port, and the rights with: sudo usermod -aG dialout $USER`,
      { cause },
    );
  }
  return new DriverWire(socket, events, 'stoprocent');
}

/**
 * The kernel cuts the socket of an adapter that is pulled out, or resets itself, for good: also when the adapter is back under
 * its number. So a socket of the kernel is opened anew after each outage, however short.
 */
export class DriverWire implements HciWire {
  readonly #events: WireEvents;
  readonly #stack: StackName;
  readonly #open: (() => DriverSocket) | undefined;
  readonly #poll: NodeJS.Timeout;
  #socket: DriverSocket;
  /** `undefined` while it is up. */
  #downSinceMs: number | undefined;

  /** `open` makes another socket like the first; without it the first one comes back by itself. */
  constructor(socket: DriverSocket, events: WireEvents, stack: StackName, open?: () => DriverSocket) {
    this.#events = events;
    this.#stack = stack;
    this.#open = open;
    this.#socket = this.#use(socket);
    this.#poll = setInterval(() => this.#look(), POLL_MS);
  }

  send(packet: Uint8Array): void {
    if (this.#downSinceMs === undefined) this.#socket.write(Buffer.from(packet));
  }

  isUp(): boolean {
    return this.#downSinceMs === undefined && this.#socket.isDevUp();
  }

  close(): void {
    clearInterval(this.#poll);
    this.#leave(this.#socket);
  }

  #use(socket: DriverSocket): DriverSocket {
    socket.on('data', (packet: Buffer) => this.#events.onPacket(packet));
    socket.on('error', (error: Error) => {
      if (this.#open !== undefined && isOfDeadSocket(error)) this.#down();
      else this.#events.onError(error);
    });
    return socket;
  }

  #leave(socket: DriverSocket): void {
    socket.removeAllListeners('data');
    socket.removeAllListeners('error');
    socket.on('error', () => undefined);
    stop(socket, this.#stack);
  }

  #look(): void {
    if (this.#downSinceMs === undefined) {
      if (!this.#socket.isDevUp()) this.#down();
      return;
    }
    if (performance.now() - this.#downSinceMs < OUTAGE_MS || !this.#socket.isDevUp()) return;
    try {
      this.#renew();
    } catch {
      return; // it went again; the next look tries anew
    }
    this.#downSinceMs = undefined;
    this.#events.onUp(true);
  }

  #renew(): void {
    if (this.#open === undefined) return;
    const before = this.#socket;
    this.#socket = this.#use(this.#open());
    this.#leave(before);
  }

  #down(): void {
    if (this.#downSinceMs !== undefined) return;
    this.#downSinceMs = performance.now();
    this.#events.onUp(false);
  }
}

/**
 * The maintained family closes its descriptor when it is stopped, and whatever has that number then when it is collected: its
 * sockets are kept for good, one for each outage. The other's are not: they close when they are collected, and only then.
 */
const stopped: DriverSocket[] = [];

function stop(socket: DriverSocket, stack: StackName): void {
  if (stack === 'stoprocent') stopped.push(socket);
  socket.stop();
}

function kernelSocket(stack: StackName): DriverSocket {
  let socket: DriverSocket | undefined;
  let failed: unknown;
  try {
    socket = new (driverOf(stack, 'native'))();
    socket.on('error', (error: unknown) => (failed = error)); // one family throws, the other emits
    socket.getDeviceList();
  } catch (error) {
    if (error instanceof FirebreakError) throw error;
    failed = error;
  }
  if (socket !== undefined && failed === undefined) return socket;
  throw new FirebreakError(
    'unreachable',
    "this machine's kernel has no Bluetooth; load it with: sudo modprobe bluetooth btusb (a container needs --net=host)",
    { cause: failed },
  );
}

function driverOf(stack: StackName, kind: 'native' | 'uart'): DriverClass {
  const loaded = driverPackage.parse(loadHciSocket(stack));
  return 'loadDriver' in loaded ? driverClass.parse(loaded.loadDriver(kind)) : loaded;
}

/** What opening an adapter failed with, as a person can mend it. */
export function adapterError(index: number, cause: unknown): FirebreakError {
  const code: unknown = cause instanceof Error && 'code' in cause ? cause.code : undefined;
  if (code === 'EPERM' || code === 'EACCES') return rightsError(cause);
  return new FirebreakError('not-found', `there is no adapter hci${index}; list them with: hciconfig -a`, {
    cause,
  });
}

/** The process may not use the adapter. */
export function rightsError(cause: unknown): FirebreakError {
  return new FirebreakError(
    'permission',
    'this process may not use Bluetooth adapters; allow it with: sudo setcap cap_net_raw+eip $(readlink -f $(which node))',
    { cause },
  );
}

/** One family of packages gives an error's name and number, the other the number alone. */
export const isOfRights = (error: Error): boolean => 'errno' in error && error.errno === EPERM;
const isOfDeadSocket = (error: Error): boolean =>
  'errno' in error && (error.errno === EBADFD || error.errno === EPIPE);

/** All events and all data (struct hci_filter: a mask of packet types, two of events, an opcode; padded to 16 bytes). */
const EVENTS_AND_DATA = Buffer.from('14000000ffffffffffffffff00000000', 'hex');
