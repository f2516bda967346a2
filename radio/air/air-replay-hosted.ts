/**
 * Recorded contacts as a living air: tags and gateways join it by name and get a Radio. Nodes named in the contacts hear
 * each other as recorded (air-replay.ts), whatever interval they ask for; any node may connect to any connectable
 * advertiser, and hears its adverts at its interval: that is the gateway, which the recordings do not know and which is
 * always in reach. Connections have no latency unless asked for.
 */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import { AdvertSchedule } from './advert-schedule.js';
import type { Emission } from './advert-schedule.js';
import { AirNode } from './air-node.js';
import type { Medium } from './air-node.js';
import { startPump } from './air-pump.js';
import type { Pump } from './air-pump.js';
import { REPLAY_AIR, deliverInstant, replayInstants, sightingOf } from './air-replay.js';
import type { ReplayInstant, ReplaySettings } from './air-replay.js';
import type { Radio, RadioAddress } from '../contract.js';
import { DEFAULT_GATT } from './gatt-connection.js';
import type { GattSettings } from './gatt-connection.js';
import { seededRandom } from '../random.js';

/** A recorded contact between named nodes, half open. */
export interface NamedContact {
  readonly a: string;
  readonly b: string;
  readonly startMs: number;
  readonly endMs: number;
}

export interface ReplayAirDeps {
  readonly clock: Clock;
  readonly contacts: Iterable<NamedContact>;
  readonly settings?: ReplaySettings;
  readonly gatt?: Partial<GattSettings>;
}

export interface ReplayAir {
  /** Throws `exists` when the name is on the air already. */
  join(name: string): Radio;
  /** Closes every radio. */
  close(): Promise<void>;
}

/** Instants before the clock's time are past and not played. Throws `input` for unsound contacts. */
export function openReplayAir(deps: ReplayAirDeps): ReplayAir {
  return new RecordedAir(deps);
}

class RecordedAir implements ReplayAir, Medium {
  readonly clock: Clock;
  readonly gatt: GattSettings;
  readonly #settings: ReplaySettings;
  readonly #nodes = new Map<string, AirNode>();
  readonly #numbers: Numbers;
  readonly #instants: Iterator<ReplayInstant, void>;
  /** Of connectable advertisers; nothing here depends on the seed but their jitter. */
  readonly #schedule = new AdvertSchedule(seededRandom('replay'));
  readonly #pump: Pump;
  #next: ReplayInstant | undefined;
  /** Nobody listened in the last step, so what happened since went unheard. */
  #deaf = true;

  constructor(deps: ReplayAirDeps) {
    this.clock = deps.clock;
    this.gatt = { ...DEFAULT_GATT, latencyMs: 0, maxClients: Infinity, ...deps.gatt };
    this.#settings = deps.settings ?? REPLAY_AIR;
    this.#numbers = new Numbers();
    const contacts = Array.from(deps.contacts, (contact) => this.#numbers.numbered(contact));
    this.#instants = replayInstants(contacts, this.#settings);
    this.#next = this.#instants.next().value ?? undefined;
    this.#pump = startPump(deps.clock, (nowMs) => this.#step(nowMs));
  }

  join(name: string): Radio {
    if (this.#nodes.has(name))
      throw new FirebreakError('exists', 'a node of that name is on the air already');
    const node = new AirNode(name, this);
    this.#nodes.set(name, node);
    return node;
  }

  async close(): Promise<void> {
    for (const node of [...this.#nodes.values()]) await node.close();
    await this.#pump.close();
  }

  changed(node: AirNode): void {
    if (node.onAir?.connectable === true) this.#schedule.follow(node, this.clock.nowMs());
    else this.#schedule.forget(node);
    this.#pump.wake();
  }

  left(node: AirNode): void {
    this.#schedule.forget(node);
    this.#nodes.delete(node.name);
  }

  nodeAt(address: RadioAddress, from: AirNode): AirNode | undefined {
    for (const node of this.#nodes.values()) {
      if (node !== from && node.onAir?.connectable === true && node.onAir.address === address) return node;
    }
    return undefined;
  }

  inReach(one: AirNode, other: AirNode): boolean {
    return this.#nodes.get(one.name) === one && this.#nodes.get(other.name) === other;
  }

  #step(nowMs: number): number | undefined {
    const listening = [...this.#nodes.values()].filter((node) => node.listening);
    if (this.#deaf) this.#skip(nowMs);
    this.#deaf = listening.length === 0;
    if (this.#deaf) return undefined; // adverts nobody hears need no waking up; starting a scan wakes us
    for (let due = this.#next; due !== undefined && due.atMs <= nowMs; due = this.#next) {
      this.#play(due);
      this.#next = this.#instants.next().value ?? undefined;
    }
    for (let sent = this.#schedule.take(nowMs); sent !== undefined; sent = this.#schedule.take(nowMs)) {
      this.#broadcast(sent, listening);
    }
    const soonestMs = Math.min(this.#next?.atMs ?? Infinity, this.#schedule.nextMs() ?? Infinity);
    return soonestMs === Infinity ? undefined : soonestMs;
  }

  /** Lets pass what happened before `nowMs`. */
  #skip(nowMs: number): void {
    while (this.#next !== undefined && this.#next.atMs < nowMs)
      this.#next = this.#instants.next().value ?? undefined;
    while (this.#schedule.take(nowMs - 1) !== undefined);
  }

  #broadcast(sent: Emission, listening: readonly AirNode[]): void {
    const sighting = sightingOf(sent.onAir, Math.floor(sent.atMs), this.#settings);
    if (sighting === undefined) return;
    for (const node of listening) if (node !== sent.node) node.hear(sighting);
  }

  #play(instant: ReplayInstant): void {
    const nodeOf = (number: number): AirNode | undefined => this.#nodes.get(this.#numbers.nameOf(number));
    deliverInstant(
      instant,
      (sender) => nodeOf(sender)?.onAir,
      (receiver, sighting) => nodeOf(receiver)?.hear(sighting),
      this.#settings,
    );
  }
}

/** Names to numbers from 0, and back. */
class Numbers {
  readonly #names: string[] = [];
  readonly #numbers = new Map<string, number>();

  numbered(contact: NamedContact): { a: number; b: number; startMs: number; endMs: number } {
    const { a, b, startMs, endMs } = contact;
    return { a: this.#numberOf(a), b: this.#numberOf(b), startMs, endMs };
  }

  nameOf(number: number): string {
    return this.#names[number] ?? '';
  }

  #numberOf(name: string): number {
    const known = this.#numbers.get(name);
    if (known !== undefined) return known;
    this.#numbers.set(name, this.#names.length);
    return this.#names.push(name) - 1;
  }
}
