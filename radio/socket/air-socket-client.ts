/**
 * A process's place on an air hosted by another process. It waits a little for the air to come up, so that processes may
 * start in any order. It does not reconnect: when the air goes, its nodes, adverts and connections are gone with it, so
 * every call rejects with `closed`, `lost` resolves, and whoever supervises the process starts it anew.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { liveClock } from '../../host/clock-live.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Clock } from '../../protocol/clock.js';
import { SocketCentral, ignoreGone } from './air-socket-central.js';
import { SocketGattServer } from './air-socket-gatt-server.js';
import { checkAdvertiser } from '../air/air-node.js';
import type { AdvertiserSettings, Radio, Sighting } from '../contract.js';
import type { Position } from '../air/propagation.js';
import { socketOptions } from './socket-address.js';
import type { AirAddress } from './socket-address.js';
import { openChannel } from './socket-channel.js';
import type { Channel } from './socket-channel.js';
import { SOCKET_VERSION, airCall, airTell, toWire } from './socket-messages.js';
import type { AirCall, AirTell } from './socket-messages.js';

export interface AirClientDeps {
  readonly at: AirAddress;
  /** Names the node on the air; with recorded contacts, the person number. */
  readonly name: string;
  readonly place?: Position;
  /** Wall ms to wait for an air that is not up yet. */
  readonly patienceMs?: number;
  /** Wall ms after which a call to the air has failed. */
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
}

export interface SocketRadio extends Radio {
  /** Resolves when the air is gone or the radio was closed. */
  readonly lost: Promise<void>;
}

const PATIENCE_MS = 5_000;
const RETRY_MS = 100;
const TIMEOUT_MS = 40_000;

/** Rejects with `unreachable` when no air runs there, or with the air's refusal (`exists`: the name is taken). */
export async function connectAir(deps: AirClientDeps): Promise<SocketRadio> {
  const socket = await reach(deps, liveClock());
  const radio = new ConnectedRadio(socket, deps.timeoutMs ?? TIMEOUT_MS);
  try {
    await radio.join(deps);
  } catch (error) {
    await radio.close();
    throw error;
  }
  return radio;
}

async function reach(deps: AirClientDeps, wall: Clock): Promise<Socket> {
  const endMs = performance.now() + (deps.patienceMs ?? PATIENCE_MS);
  for (;;) {
    deps.signal?.throwIfAborted();
    const outcome = await tryOnce(deps.at);
    if (!(outcome instanceof Error)) return outcome;
    if (performance.now() + RETRY_MS > endMs) {
      throw new FirebreakError('unreachable', 'the air is not running; start it with: firebreak air run', {
        cause: outcome,
      });
    }
    await wall.sleep(RETRY_MS, deps.signal);
  }
}

function tryOnce(at: AirAddress): Promise<Socket | Error> {
  const socket = connect(socketOptions(at));
  return new Promise((resolve) => {
    socket.once('error', resolve);
    socket.once('connect', () => {
      socket.removeListener('error', resolve);
      resolve(socket);
    });
  });
}

class ConnectedRadio implements SocketRadio {
  readonly scanner = {
    start: (onSighting: (sighting: Sighting) => void) => this.#startScan(onSighting),
    stop: () => this.#stopScan(),
  };
  readonly advertiser = {
    set: (settings: AdvertiserSettings) => this.#advertise(settings),
    stop: async () => void (await this.#channel.call({ op: 'advertise' }).catch(ignoreGone)),
  };
  readonly central: SocketCentral;
  readonly server: SocketGattServer;
  readonly lost: Promise<void>;
  readonly #channel: Channel;
  #listener: ((sighting: Sighting) => void) | undefined;

  constructor(socket: Socket, timeoutMs: number) {
    let lose = (): void => undefined;
    this.lost = new Promise((resolve) => (lose = resolve));
    this.#channel = openChannel<AirCall, AirTell>({
      socket,
      callSchema: airCall,
      tellSchema: airTell,
      onCall: (call) => this.server.onCall(call),
      onTell: (tell) => this.#onTell(tell),
      onClosed: () => {
        this.#listener = undefined;
        this.central.lose();
        this.server.lose();
        lose();
      },
      timeoutMs,
    });
    this.central = new SocketCentral(this.#channel);
    this.server = new SocketGattServer(this.#channel);
  }

  async join({ name, place }: AirClientDeps): Promise<void> {
    const at = place === undefined ? {} : { place: { x: place.x, y: place.y, z: place.z ?? 0 } };
    await this.#channel.call({ op: 'join', version: SOCKET_VERSION, name, ...at });
  }

  async close(): Promise<void> {
    this.#channel.close();
  }

  /** The listener is set first: sightings may come before the answer. */
  async #startScan(onSighting: (sighting: Sighting) => void): Promise<void> {
    if (this.#listener !== undefined) throw new FirebreakError('exists', 'this radio is scanning already');
    this.#listener = onSighting;
    try {
      await this.#channel.call({ op: 'scan', on: true });
    } catch (error) {
      this.#listener = undefined;
      throw error;
    }
  }

  async #stopScan(): Promise<void> {
    this.#listener = undefined;
    await this.#channel.call({ op: 'scan', on: false }).catch(ignoreGone);
  }

  async #advertise(settings: AdvertiserSettings): Promise<void> {
    checkAdvertiser(settings);
    await this.#channel.call({ op: 'advertise', settings: { ...settings, advert: toWire(settings.advert) } });
  }

  #onTell(tell: AirTell): void {
    switch (tell.op) {
      case 'sighting':
        return this.#listener?.({
          address: tell.address,
          advert: tell.advert,
          rssiDbm: tell.rssiDbm,
          heardAtMs: tell.heardAtMs,
        });
      case 'notified':
        return this.central.notified(tell.link, tell.characteristic, tell.value);
      case 'link-closed':
        return this.central.linkClosed(tell.link);
      case 'peer-closed':
        return this.server.peerClosed(tell.peer);
    }
  }
}
