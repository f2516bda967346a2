/** When each advertiser of a simulated air sends: phase, then intervals drawn from interval × (1 ± jitter), seeded. */
import type { AirNode } from './air-node.js';
import type { AdvertiserSettings } from '../contract.js';
import type { Random } from '../random.js';
import { TimerHeap } from '../../host/timer-heap.js';
import type { Timer } from '../../host/timer-heap.js';

/** One advertising event. Times carry fractions of a ms: whether two adverts overlap is decided below one. */
export interface Emission {
  readonly atMs: number;
  readonly node: AirNode;
  readonly onAir: AdvertiserSettings;
}

/** An air that fell further behind its clock (a suspended machine) skips what it missed. */
const MAX_BEHIND_MS = 600_000;
/** A clock that is behind where it was by more was set back; one that is behind by less is waited for. */
const SET_BACK_MS = 1000;

type Plan = Omit<Emission, 'atMs'>;

/** Follows a clock: when that was set back, every node begins anew at its phase. */
export class AdvertSchedule {
  readonly #random: Random;
  readonly #draws = new Map<AirNode, Random>();
  readonly #timers = new TimerHeap<Plan>();
  readonly #planned = new Map<AirNode, Timer<Plan>>();
  #askedMs = -Infinity;

  constructor(random: Random) {
    this.#random = random;
  }

  /**
   * Follows what a node has on the air; does nothing while that is what is planned already. Another advert under the same
   * address is sent when the one before it would have been.
   */
  follow(node: AirNode, nowMs: number): void {
    this.#lookAt(nowMs);
    const planned = this.#planned.get(node);
    const { onAir } = node;
    if (planned?.item.onAir === onAir) return;
    this.forget(node);
    if (onAir === undefined) return;
    const goesOn = planned?.item.onAir.address === onAir.address;
    this.#plan({ node, onAir }, goesOn ? Math.max(planned.atMs, nowMs) : nowMs + onAir.phaseMs);
  }

  forget(node: AirNode): void {
    const planned = this.#planned.get(node);
    if (planned !== undefined) this.#timers.cancel(planned);
    this.#planned.delete(node);
  }

  nextMs(): number | undefined {
    return this.#timers.peek()?.atMs;
  }

  /** The next emission due at or before `untilMs`, in order of time; the one after it is planned. */
  take(untilMs: number): Emission | undefined {
    this.#lookAt(untilMs);
    const due = this.#timers.take(untilMs);
    if (due === undefined) return undefined;
    const { node, onAir } = due.item;
    const stretch = 1 + onAir.jitter * this.#drawsOf(node).between(-1, 1);
    const nextMs = due.atMs + onAir.intervalMs * stretch;
    this.#plan(due.item, nextMs < untilMs - MAX_BEHIND_MS ? untilMs : nextMs);
    return { atMs: due.atMs, node, onAir };
  }

  #lookAt(nowMs: number): void {
    const isSetBack = nowMs < this.#askedMs - SET_BACK_MS;
    this.#askedMs = isSetBack ? nowMs : Math.max(this.#askedMs, nowMs);
    if (!isSetBack) return;
    for (const { item } of [...this.#planned.values()]) {
      this.forget(item.node);
      this.#plan(item, nowMs + item.onAir.phaseMs);
    }
  }

  #plan(plan: Plan, atMs: number): void {
    this.#planned.set(plan.node, this.#timers.add(atMs, plan));
  }

  /** Each node draws from its own stream, so that one more node does not change the others' timing. */
  #drawsOf(node: AirNode): Random {
    const draws = this.#draws.get(node) ?? this.#random.fork(node.name);
    this.#draws.set(node, draws);
    return draws;
  }
}
