/**
 * A controller behind a unix socket that speaks H4: each connection is a controller of its own. When the socket closes it is
 * opened again and again, as a dongle may be pulled and put back.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { FirebreakError } from '../../protocol/errors.js';
import { socketOptions } from '../socket/socket-address.js';
import { H4Stream } from './h4-stream.js';
import type { HciWire, WireEvents } from './hci-wire.js';

/** Longer than the second at which the libraries look whether the controller is up: they must see it down. */
const RETRY_MS = 2_200;
/** More than this unsent means that the controller stopped reading. */
const CUT_BYTES = 256 * 1024;

/** Rejects with `unreachable` when nothing listens there. */
export async function openUnixWire(path: string, events: WireEvents): Promise<HciWire> {
  const socket = await dial(path);
  return new UnixWire(path, socket, events);
}

function dial(path: string): Promise<Socket> {
  const socket = connect(socketOptions({ path }));
  return new Promise((resolve, reject) => {
    socket.once('error', (cause) =>
      reject(
        new FirebreakError(
          'unreachable',
          `no controller answers at unix:${path}; start the emulator there with: btvirt -s`,
          { cause },
        ),
      ),
    );
    socket.once('connect', () => resolve(socket));
  });
}

class UnixWire implements HciWire {
  readonly #path: string;
  readonly #events: WireEvents;
  #socket: Socket | undefined;
  #retry: NodeJS.Timeout | undefined;
  #closed = false;

  constructor(path: string, socket: Socket, events: WireEvents) {
    this.#path = path;
    this.#events = events;
    this.#use(socket);
  }

  isUp(): boolean {
    return this.#socket !== undefined;
  }

  send(packet: Uint8Array): void {
    this.#socket?.write(packet);
    if ((this.#socket?.writableLength ?? 0) > CUT_BYTES) this.#socket?.destroy();
  }

  close(): void {
    this.#closed = true;
    clearTimeout(this.#retry);
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #use(socket: Socket): void {
    this.#socket = socket;
    const stream = new H4Stream();
    socket.removeAllListeners('error');
    socket.on('error', () => undefined); // 'close' follows
    socket.on('close', () => this.#lost());
    socket.on('data', (chunk: Uint8Array) => {
      try {
        for (const packet of stream.push(chunk)) this.#events.onPacket(packet);
      } catch {
        socket.destroy(); // out of step: begin anew
      }
    });
  }

  #lost(): void {
    if (this.#closed) return;
    this.#socket = undefined;
    this.#events.onUp(false);
    this.#again();
  }

  #again(): void {
    this.#retry = setTimeout(() => {
      dial(this.#path).then(
        (socket) => this.#back(socket),
        () => (this.#closed ? undefined : this.#again()),
      );
    }, RETRY_MS);
  }

  #back(socket: Socket): void {
    if (this.#closed) return void socket.destroy();
    this.#use(socket);
    this.#events.onUp(true);
  }
}
