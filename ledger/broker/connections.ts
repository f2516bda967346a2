/** The connections of writers to the embedded broker: taken in one by one, and ended together. */
import { createServer, type Server } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { listenOn } from '../../host/listen.js';
import { GatedConnection } from './gated-connection.js';
import { PacketGate } from './packet-gate.js';

/** Any packet but a PUBLISH: its content is a token, or the topics of a writer. */
const MAX_PACKET_BYTES = 8192;
/** How long closing waits for what is under way; as long as external.ts waits. */
const CLOSE_MS = 1000;
const LOOK_EVERY_MS = 5;

export interface ConnectionsOptions {
  readonly maxConnections: number;
  readonly maxPublishBytes: number;
  /** Called for one that came beyond `maxConnections` and was dropped. */
  readonly onDropped: () => void;
  /** Takes each connection over. */
  readonly onConnection: (connection: GatedConnection) => void;
}

export class Connections {
  readonly #server: Server;
  readonly #open = new Set<GatedConnection>();
  #closed: Promise<void> | undefined;

  constructor({ maxConnections, maxPublishBytes, onDropped, onConnection }: ConnectionsOptions) {
    this.#server = createServer((socket) => {
      socket.setNoDelay(true);
      socket.setKeepAlive(true, 30_000);
      const connection = new GatedConnection(socket, new PacketGate(MAX_PACKET_BYTES, maxPublishBytes));
      this.#open.add(connection);
      connection.on('close', () => this.#open.delete(connection));
      onConnection(connection);
    });
    this.#server.maxConnections = maxConnections;
    this.#server.on('drop', onDropped);
  }

  get size(): number {
    return this.#open.size;
  }

  /** The port. Throws `port-in-use`, `permission` and `input`, as `listenOn`. */
  async listen(host: string, port: number): Promise<number> {
    return (await listenOn(this.#server, host, port, "the ledger's broker")).port;
  }

  /**
   * Takes in nothing more. Resolves once all that was taken in is answered and the system has taken the
   * answers, or after a second. `isAnswered`: whether the caller has written all it owes.
   */
  async finish(isAnswered: () => boolean): Promise<void> {
    this.#closed ??= new Promise((resolve) => this.#server.close(() => resolve()));
    for (const connection of this.#open) connection.beginNoMore();
    const untilMs = performance.now() + CLOSE_MS;
    const isDone = (): boolean => isAnswered() && [...this.#open].every(({ isSettled }) => isSettled);
    while (!isDone() && performance.now() < untilMs) await sleep(LOOK_EVERY_MS);
  }

  /** Ends what is left. To be called after {@link finish}. */
  async close(): Promise<void> {
    for (const connection of this.#open) connection.destroy();
    await this.#closed;
  }
}
