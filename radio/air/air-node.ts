/** A node's place on a simulated air: the four roles of a Radio, over whatever medium decides who hears whom. */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import { MAX_ADVERT_BYTES } from '../contract.js';
import type {
  Advertiser,
  AdvertiserSettings,
  Central,
  GattServer,
  Link,
  Radio,
  RadioAddress,
  Scanner,
  ServerPeer,
  ServerSession,
  Sighting,
} from '../contract.js';
import { GattConnection } from './gatt-connection.js';
import type { GattSettings } from './gatt-connection.js';

export interface Medium {
  readonly clock: Clock;
  readonly gatt: GattSettings;
  /** The node started or stopped listening, or what it advertises was started, replaced or stopped. */
  changed(node: AirNode): void;
  /** The connectable advertiser at an address that `from` can reach. */
  nodeAt(address: RadioAddress, from: AirNode): AirNode | undefined;
  inReach(one: AirNode, other: AirNode): boolean;
  left(node: AirNode): void;
}

type Accept = (peer: ServerPeer) => ServerSession | Promise<ServerSession>;

export class AirNode implements Radio {
  readonly scanner: Scanner = {
    start: async (onSighting) => this.#startScan(onSighting),
    stop: async () => this.#stopScan(),
  };
  readonly advertiser: Advertiser = {
    set: async (settings) => this.#advertise(settings),
    stop: async () => this.#silence(),
  };
  readonly central: Central = { connect: (address, signal) => this.#connect(address, signal) };
  readonly server: GattServer = {
    start: async (accept) => this.#serve(accept),
    stop: async () => this.#stopServing(),
  };

  /** Known to the air alone; never sent. */
  readonly name: string;
  readonly #medium: Medium;
  readonly #connections = new Map<GattConnection, AirNode>();
  /** Those of the connections in which this node is the server. */
  readonly #clients = new Set<GattConnection>();
  #listener: ((sighting: Sighting) => void) | undefined;
  #onAir: AdvertiserSettings | undefined;
  #accept: Accept | undefined;
  #closed = false;

  constructor(name: string, medium: Medium) {
    this.name = name;
    this.#medium = medium;
  }

  /** What it advertises now. Each set() makes a new object, so that identity tells one advert from the next. */
  get onAir(): AdvertiserSettings | undefined {
    return this.#onAir;
  }

  get listening(): boolean {
    return this.#listener !== undefined;
  }

  hear(sighting: Sighting): void {
    this.#listener?.(sighting);
  }

  /** Ends the connections whose other end the medium no longer lets it reach. */
  dropLost(): void {
    for (const [connection, other] of this.#connections) {
      if (!this.#medium.inReach(this, other)) connection.drop();
    }
  }

  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#listener = undefined;
    this.#onAir = undefined;
    this.#accept = undefined;
    for (const connection of [...this.#connections.keys()]) connection.drop();
    this.#medium.left(this);
  }

  #startScan(onSighting: (sighting: Sighting) => void): void {
    this.#assertOpen();
    if (this.#listener !== undefined) throw new FirebreakError('exists', 'this radio is scanning already');
    this.#listener = onSighting;
    this.#medium.changed(this);
  }

  #stopScan(): void {
    this.#listener = undefined;
    if (!this.#closed) this.#medium.changed(this);
  }

  #advertise(settings: AdvertiserSettings): void {
    this.#assertOpen();
    checkAdvertiser(settings);
    this.#onAir = { ...settings, advert: Uint8Array.from(settings.advert) };
    this.#medium.changed(this);
  }

  #silence(): void {
    this.#onAir = undefined;
    if (!this.#closed) this.#medium.changed(this);
  }

  #serve(accept: Accept): void {
    this.#assertOpen();
    if (this.#accept !== undefined) throw new FirebreakError('exists', 'this radio serves already');
    this.#accept = accept;
  }

  #stopServing(): void {
    this.#accept = undefined;
    for (const connection of [...this.#clients]) connection.drop();
  }

  async #connect(address: RadioAddress, signal: AbortSignal | undefined): Promise<Link> {
    this.#assertOpen();
    signal?.throwIfAborted();
    const server = this.#medium.nodeAt(address, this);
    if (server === undefined) throw nobodyThere();
    const connection = new GattConnection({
      clock: this.#medium.clock,
      settings: this.#medium.gatt,
      inReach: () => this.#medium.inReach(this, server),
    });
    const onAbort = (): void => connection.drop();
    signal?.addEventListener('abort', onAbort, { once: true });
    this.#track(connection, server);
    try {
      await server.#welcome(connection, this);
    } catch (error) {
      signal?.throwIfAborted();
      throw error;
    } finally {
      signal?.removeEventListener('abort', onAbort);
    }
    return connection.link();
  }

  /** The server's side of a connection being made. */
  async #welcome(connection: GattConnection, client: AirNode): Promise<void> {
    if (this.#clients.size >= this.#medium.gatt.maxClients) {
      connection.drop();
      throw new FirebreakError('busy', 'the server holds as many connections as it can');
    }
    this.#clients.add(connection);
    this.#track(connection, client);
    await connection.open((peer) => {
      if (this.#accept === undefined) throw nobodyThere();
      return this.#accept(peer);
    });
  }

  #track(connection: GattConnection, other: AirNode): void {
    this.#connections.set(connection, other);
    void connection.closed.then(() => {
      this.#connections.delete(connection);
      this.#clients.delete(connection);
    });
  }

  #assertOpen(): void {
    if (this.#closed) throw new FirebreakError('closed', 'this radio is closed');
  }
}

function nobodyThere(): FirebreakError {
  return new FirebreakError('unreachable', 'nobody connectable is in reach at that address');
}

const ADDRESS = /^[0-9a-f]{12}$/;

/** Throws `format` for what no controller would put on the air, `size` for an advert longer than 31 bytes. */
export function checkAdvertiser(settings: AdvertiserSettings): void {
  if (!ADDRESS.test(settings.address)) {
    throw new FirebreakError('format', 'a radio address is twelve lowercase hex digits');
  }
  if (settings.advert.length > MAX_ADVERT_BYTES) {
    throw new FirebreakError('size', `an advert holds at most ${MAX_ADVERT_BYTES} bytes`);
  }
  const { intervalMs, phaseMs, jitter, txPowerDbm } = settings;
  const sound = intervalMs >= 20 && phaseMs >= 0 && jitter >= 0 && jitter < 1 && Number.isInteger(txPowerDbm);
  if (!sound || !Number.isFinite(intervalMs) || !Number.isFinite(phaseMs)) {
    throw new FirebreakError(
      'format',
      'an advertiser needs an interval of 20 ms or more, a phase of 0 or more, a jitter in [0, 1) and a power in whole dBm',
    );
  }
}
