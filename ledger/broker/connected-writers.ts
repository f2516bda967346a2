/** Who is connected to the embedded broker: the connections of each writer that has some. */
import type { Client } from 'aedes';

/** A writer needs one. A further one is always let in, and its oldest is ended instead. */
const CONNECTIONS_PER_WRITER = 4;

export class ConnectedWriters {
  /** By writer, the oldest first. */
  readonly #clients = new Map<string, Set<Client>>();
  readonly #onTooMany: (writer: string) => void;

  /** `onTooMany`: called when the oldest connection of a writer is ended for a new one. */
  constructor(onTooMany: (writer: string) => void) {
    this.#onTooMany = onTooMany;
  }

  /** The writer ids of those that are connected now, in hexadecimal digits. */
  ids(): string[] {
    return [...this.#clients.keys()];
  }

  of(writer: string): Iterable<Client> {
    return this.#clients.get(writer) ?? [];
  }

  /** Until it closes. */
  add(client: Client, writer: string): void {
    if (client.conn.destroyed) return;
    const connected = this.#clients.get(writer) ?? new Set();
    this.#clients.set(writer, connected.add(client));
    client.conn.once('close', () => {
      connected.delete(client);
      if (connected.size === 0) this.#clients.delete(writer);
    });
    const [oldest] = connected;
    if (connected.size <= CONNECTIONS_PER_WRITER || oldest === undefined) return;
    this.#onTooMany(writer);
    oldest.conn.destroy();
  }
}
