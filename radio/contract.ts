/**
 * The air, as tags and gateways see it. The in-memory air, the replayed air, the socket air and Bluetooth
 * hardware all sit behind these few functions, so that the same tag and gateway run on each.
 */

/** Six bytes as lowercase hex without separators, e.g. "c0ffee123456". */
export type RadioAddress = string;

/** One advert heard. `rssiDbm` is undefined where the controller could not tell (never guessed). */
export interface Sighting {
  readonly address: RadioAddress;
  readonly rssiDbm: number | undefined;
  /** The legacy advertising payload, at most 31 bytes. The receiver may keep it: it is never changed afterwards. */
  readonly advert: Uint8Array;
  /** When it was heard, deployment clock, ms. */
  readonly heardAtMs: number;
}

export interface Scanner {
  /** Starts handing on sightings; one listener at a time (`exists` while there is one). */
  start(onSighting: (sighting: Sighting) => void): Promise<void>;
  stop(): Promise<void>;
}

export interface AdvertiserSettings {
  readonly address: RadioAddress;
  readonly advert: Uint8Array;
  readonly txPowerDbm: number;
  readonly intervalMs: number;
  /** Delay before the first advert of an address, ms. Another advert under the same address keeps the intervals going. */
  readonly phaseMs: number;
  /** Each interval is drawn from intervalMs × (1 ± jitter). */
  readonly jitter: number;
  readonly connectable: boolean;
}

export interface Advertiser {
  /** Starts advertising or replaces what is advertised, address and content in one move. */
  set(settings: AdvertiserSettings): Promise<void>;
  stop(): Promise<void>;
}

/** GATT characteristics of the gateway service (protocol.md §7). */
export type Characteristic = 'hello' | 'upload' | 'receipt' | 'refresh';

export { MAX_ATTRIBUTE_BYTES } from '../protocol/session/upload.js';
/** The longest payload of a legacy advert. */
export const MAX_ADVERT_BYTES = 31;

/**
 * The client's side of a connection. Every call rejects with `timeout`, `closed` or `unreachable` rather than hang.
 * A server's refusal comes as the GatewayRefusal code its handler threw (an ATT application error on hardware); any
 * other failure of a handler as `unreachable`. After `timeout` the link is closed, as ATT demands.
 */
export interface Link {
  /** Usable bytes of one write or notification (ATT MTU − 3). */
  readonly payloadBytes: number;
  read(characteristic: Characteristic): Promise<Uint8Array>;
  /** Rejects with `size` when the value is longer than payloadBytes; nothing is sent then. */
  write(characteristic: Characteristic, value: Uint8Array): Promise<void>;
  subscribe(characteristic: Characteristic, onNotify: (value: Uint8Array) => void): Promise<void>;
  close(): Promise<void>;
  /** Resolves when the connection is gone, whoever ended it. */
  readonly closed: Promise<void>;
}

export interface Central {
  /** Rejects with `unreachable` (nobody connectable there), `busy` (refused) or `timeout`. */
  connect(address: RadioAddress, signal?: AbortSignal): Promise<Link>;
}

/** One client connected to our server. */
export interface ServerPeer {
  readonly payloadBytes: number;
  /** Rejects with `size` beyond payloadBytes, `unreachable` when the client has not subscribed, `closed`. */
  notify(characteristic: Characteristic, value: Uint8Array): Promise<void>;
  disconnect(): Promise<void>;
}

/** What a server does with one client. A rejected promise becomes an ATT error and leaves the link up. */
export interface ServerSession {
  onRead(characteristic: Characteristic): Promise<Uint8Array>;
  onWrite(characteristic: Characteristic, value: Uint8Array): Promise<void>;
  onClosed(): void;
}

export interface GattServer {
  /** Serves until stop(); `accept` makes the session of a new client, or refuses it by throwing `busy`. */
  start(accept: (peer: ServerPeer) => ServerSession | Promise<ServerSession>): Promise<void>;
  stop(): Promise<void>;
}

/** One device's place on the air: all four roles. Closing it stops them all. */
export interface Radio {
  readonly scanner: Scanner;
  readonly advertiser: Advertiser;
  readonly central: Central;
  readonly server: GattServer;
  /** What of it is not at work now, in words; undefined when all is. Absent where the air has no adapters that could fail. */
  readonly trouble?: () => string | undefined;
  close(): Promise<void>;
}
