/**
 * The simulated air: nodes at places, path loss between them (propagation.ts), adverts that collide (collision.ts),
 * scanners with a duty cycle, and GATT connections between nodes that hear each other. The same seed, names, moves and
 * clock give the same sightings.
 */
import type { Clock } from '../../protocol/clock.js';
import { FirebreakError } from '../../protocol/errors.js';
import { AdvertSchedule } from './advert-schedule.js';
import type { Emission } from './advert-schedule.js';
import { AirNode } from './air-node.js';
import type { Medium } from './air-node.js';
import { startPump } from './air-pump.js';
import type { Pump } from './air-pump.js';
import { ADVERT_AIRTIME_MS, captures, overlap } from './collision.js';
import type { Radio, RadioAddress } from '../contract.js';
import { DEFAULT_GATT } from './gatt-connection.js';
import type { GattSettings } from './gatt-connection.js';
import { INDOOR, distanceMetres, fadingDb, linkKey, meanPathLossDb, shadowingDb } from './propagation.js';
import type { Position, PropagationSettings } from './propagation.js';
import { hashText, mix32, seededRandom } from '../random.js';

/** Listening during the first windowMs of each intervalMs; each node has its own phase. Equal numbers: always. */
export interface ScanDuty {
  readonly windowMs: number;
  readonly intervalMs: number;
}

export interface MemoryAirDeps {
  readonly clock: Clock;
  readonly seed: string | number;
  readonly propagation?: Partial<PropagationSettings>;
  readonly gatt?: Partial<GattSettings>;
}

/** `sent` counts adverts; the others count what became of each at each node that was listening. */
export interface AirStats {
  readonly sent: number;
  readonly heard: number;
  readonly tooWeak: number;
  readonly collided: number;
  readonly asleep: number;
}

export interface MemoryAir {
  /** Throws `exists` when the name is on the air already. */
  join(name: string, place?: Position, scan?: ScanDuty): Radio;
  /** Moves a node; connections it thereby loses are closed. Throws `not-found`. */
  move(name: string, place: Position): void;
  stats(): AirStats;
  /** Closes every radio. */
  close(): Promise<void>;
}

export function openMemoryAir(deps: MemoryAirDeps): MemoryAir {
  return new PhysicalAir(deps);
}

interface Placement {
  place: Position;
  /** Names the node in the seeded draws. */
  readonly word: number;
  readonly scan: ScanDuty;
  readonly scanPhaseMs: number;
}

const ALWAYS: ScanDuty = { windowMs: 100, intervalMs: 100 };
const ORIGIN: Position = { x: 0, y: 0 };
/** An emission is settled this long after its start, when everything that could overlap it has been planned. */
const SETTLE_MS = 1;
/** Power taken for a node that only connects. */
const CENTRAL_DBM = 0;

class PhysicalAir implements MemoryAir, Medium {
  readonly clock: Clock;
  readonly gatt: GattSettings;
  readonly #propagation: PropagationSettings;
  /** A mean level that no luck lifts to the sensitivity: spares the draws for the many links that are long. */
  readonly #hopelessDbm: number;
  readonly #seed: number;
  readonly #nodes = new Map<string, AirNode>();
  readonly #placements = new Map<AirNode, Placement>();
  readonly #schedule: AdvertSchedule;
  readonly #pump: Pump;
  readonly #stats = { sent: 0, heard: 0, tooWeak: 0, collided: 0, asleep: 0 };
  /** Emissions in order of time: those not yet settled, and before them those that may overlap them. */
  #flying: Emission[] = [];
  #settled = 0;

  constructor(deps: MemoryAirDeps) {
    this.clock = deps.clock;
    this.gatt = { ...DEFAULT_GATT, ...deps.gatt };
    this.#propagation = { ...INDOOR, ...deps.propagation };
    const { sensitivityDbm, shadowingDb: slow, fadingDb: fast } = this.#propagation;
    this.#hopelessDbm = sensitivityDbm - 6 * (slow + fast);
    this.#seed = hashText(String(deps.seed));
    this.#schedule = new AdvertSchedule(seededRandom(deps.seed).fork('adverts'));
    this.#pump = startPump(deps.clock, (nowMs) => this.#step(nowMs));
  }

  join(name: string, place = ORIGIN, scan = ALWAYS): Radio {
    if (this.#nodes.has(name))
      throw new FirebreakError('exists', 'a node of that name is on the air already');
    const word = mix32(hashText(name));
    const node = new AirNode(name, this);
    this.#nodes.set(name, node);
    this.#placements.set(node, {
      place,
      word,
      scan,
      scanPhaseMs: mix32(word ^ this.#seed) % scan.intervalMs,
    });
    return node;
  }

  move(name: string, place: Position): void {
    const node = this.#nodes.get(name);
    if (node === undefined) throw new FirebreakError('not-found', 'no node of that name is on the air');
    this.#placement(node).place = place;
    node.dropLost();
  }

  stats(): AirStats {
    return { ...this.#stats };
  }

  async close(): Promise<void> {
    for (const node of [...this.#nodes.values()]) await node.close();
    await this.#pump.close();
  }

  changed(node: AirNode): void {
    this.#schedule.follow(node, this.clock.nowMs());
    this.#pump.wake();
  }

  left(node: AirNode): void {
    this.#schedule.forget(node);
    this.#nodes.delete(node.name);
    this.#placements.delete(node);
  }

  nodeAt(address: RadioAddress, from: AirNode): AirNode | undefined {
    for (const node of this.#nodes.values()) {
      const { onAir } = node;
      if (onAir?.connectable !== true || onAir.address !== address || node === from) continue;
      if (this.inReach(from, node)) return node;
    }
    return undefined;
  }

  /** Both hear each other, fading apart: a connection hops over 37 channels and retries. */
  inReach(one: AirNode, other: AirNode): boolean {
    if (!this.#placements.has(one) || !this.#placements.has(other)) return false;
    const powerDbm = Math.min(one.onAir?.txPowerDbm ?? CENTRAL_DBM, other.onAir?.txPowerDbm ?? CENTRAL_DBM);
    return this.#levelDbm(one, other, this.clock.nowMs(), powerDbm) >= this.#propagation.sensitivityDbm;
  }

  /** Sends what is due, settles what was sent a moment ago, and says when to go on. */
  #step(nowMs: number): number | undefined {
    this.#forgetIfSetBack(nowMs);
    for (let sent = this.#schedule.take(nowMs); sent !== undefined; sent = this.#schedule.take(nowMs)) {
      this.#flying.push(sent);
    }
    const flying = this.#flying;
    let next = flying[this.#settled];
    while (next !== undefined && next.atMs <= nowMs - SETTLE_MS) {
      this.#settle(next, this.#interferersOf(this.#settled));
      this.#settled += 1;
      next = flying[this.#settled];
    }
    this.#forgetPast(nowMs);
    const soonestMs = next?.atMs ?? this.#schedule.nextMs();
    return soonestMs === undefined ? undefined : soonestMs + SETTLE_MS;
  }

  /** What was sent just before the clock was set back would stand in the way until that time comes again. */
  #forgetIfSetBack(nowMs: number): void {
    const last = this.#flying.at(-1);
    if (last === undefined || last.atMs <= nowMs) return;
    this.#flying = [];
    this.#settled = 0;
  }

  #forgetPast(nowMs: number): void {
    const past = this.#flying
      .slice(0, this.#settled)
      .filter((sent) => sent.atMs < nowMs - 2 * SETTLE_MS).length;
    if (past === 0) return;
    this.#flying = this.#flying.slice(past);
    this.#settled -= past;
  }

  #interferersOf(index: number): Emission[] {
    const own = this.#flying[index];
    const found: Emission[] = [];
    if (own === undefined) return found;
    for (const step of [-1, 1]) {
      let at = index + step;
      for (let other = this.#flying[at]; other && overlap(own.atMs, other.atMs); other = this.#flying[at]) {
        found.push(other);
        at += step;
      }
    }
    return found;
  }

  #settle(sent: Emission, interferers: readonly Emission[]): void {
    if (sent.node.onAir?.address !== sent.onAir.address) return; // replaced or stopped: the old one is not heard any more
    this.#stats.sent += 1;
    const number = this.#stats.sent;
    for (const [receiver, placement] of this.#placements) {
      if (receiver === sent.node || !receiver.listening) continue;
      const levelDbm = this.#arrivesAt(receiver, sent, number);
      const fate = this.#fate(receiver, placement, sent, levelDbm, interferers);
      this.#stats[fate] += 1;
      if (fate === 'heard') this.#hand(receiver, sent, levelDbm);
    }
  }

  #fate(
    receiver: AirNode,
    placement: Placement,
    sent: Emission,
    levelDbm: number,
    interferers: readonly Emission[],
  ): Exclude<keyof AirStats, 'sent'> {
    const { windowMs, intervalMs } = placement.scan;
    if (levelDbm < this.#propagation.sensitivityDbm) return 'tooWeak';
    if ((sent.atMs + placement.scanPhaseMs) % intervalMs >= windowMs) return 'asleep';
    const spoilt = interferers.some((other) => {
      if (other.node === receiver) return true; // half duplex: it was sending itself
      if (!this.#placements.has(other.node)) return false;
      return !captures(levelDbm, this.#levelDbm(other.node, receiver, other.atMs, other.onAir.txPowerDbm));
    });
    return spoilt ? 'collided' : 'heard';
  }

  #hand(receiver: AirNode, sent: Emission, levelDbm: number): void {
    receiver.hear({
      address: sent.onAir.address,
      rssiDbm: Math.round(levelDbm),
      advert: sent.onAir.advert,
      heardAtMs: Math.floor(sent.atMs + ADVERT_AIRTIME_MS),
    });
  }

  #arrivesAt(receiver: AirNode, sent: Emission, number: number): number {
    const link = linkKey(this.#placement(sent.node).word, this.#placement(receiver).word);
    const level = this.#levelDbm(sent.node, receiver, sent.atMs, sent.onAir.txPowerDbm);
    return level - fadingDb(this.#seed, link, number, this.#propagation);
  }

  #levelDbm(sender: AirNode, receiver: AirNode, atMs: number, powerDbm: number): number {
    const from = this.#placement(sender);
    const to = this.#placement(receiver);
    const meanDbm = powerDbm - meanPathLossDb(distanceMetres(from.place, to.place), this.#propagation);
    if (meanDbm < this.#hopelessDbm) return -Infinity;
    return meanDbm - shadowingDb(this.#seed, linkKey(from.word, to.word), atMs, this.#propagation);
  }

  #placement(node: AirNode): Placement {
    const placement = this.#placements.get(node);
    if (placement === undefined) throw new FirebreakError('closed', 'this radio is closed');
    return placement;
  }
}
