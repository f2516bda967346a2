/** The connections of writers to the embedded broker: taken in one by one, and ended together. */
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOn } from '../../host/listen.js';
import { GatedConnection } from './gated-connection.js';
import { PacketGate } from './packet-gate.js';

/** Of any packet but a PUBLISH: a token, or the topics of a writer. */
const MAX_PACKET_BYTES = 8192;
/** For what is under way when the broker is closed; the same as behind a broker of somebody else. */
const CLOSE_MS = 1000;
const LOOK_EVERY_MS = 5;

export interface ConnectionsOptions {
  readonly most: number;
  readonly maxPublishBytes: number;
  /** Told of one that came beyond that and was dropped. */
  readonly dropped: () => void;
  /** Takes each connection over. */
  readonly handle: (connection: GatedConnection) => void;
}

export class Connections {
  readonly #server: Server;
  readonly #open = new Set<GatedConnection>();
  #closed: Promise<void> | undefined;

  constructor({ most, maxPublishBytes, dropped, handle }: ConnectionsOptions) {
    this.#server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      const connection = new GatedConnection(socket, new PacketGate(MAX_PACKET_BYTES, maxPublishBytes));
      this.#open.add(connection);
      connection.on('close', () => this.#open.delete(connection));
      handle(connection);
    });
    this.#server.maxConnections = most;
    this.#server.on('drop', dropped);
  }

  get size(): number {
    return this.#open.size;
  }

  /** The port. Throws `port-in-use`, `permission` and `input`, as `listenOn`. */
  async listen(host: string, port: number): Promise<number> {
    return (await listenOn(this.#server, host, port, "the ledger's broker")).port;
  }

  /**
   * Takes in nothing more. Resolves once what was taken in is answered (`isAnswered`: and nothing is left to be written to a
   * connection) and the answers are with the system, or after a second.
   */
  async finish(isAnswered: () => boolean): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) connection.beginNoMore();
    const untilMs = performance.now() + CLOSE_MS;
    const isDone = (): boolean => isAnswered() && [...this.#open].every(({ isSettled }) => isSettled);
    while (!isDone() && performance.now() < untilMs) await sleep(LOOK_EVERY_MS);
  }

  /** Ends what is left. To be called behind {@link finish}. */
  async close(): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    await this.#closed;
  }
}
