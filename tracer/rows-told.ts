/** The rows of a walk in words of tag numbers (tracing.md, "Output of a trace"). */
import { setImmediate as breathe } from 'node:timers/promises';
import { toHex } from '../protocol/bytes.js';
import type { People } from './contacts/people.js';
import type { PathStep, ReachedPerson } from './trace-result.js';
import type { PresenceView } from './presence/presence-view.js';
import { stepAt } from './walk/paths.js';
import type { HotStep } from './walk/paths.js';
import type { WalkResult } from './walk/walk-result.js';

/** What a walk does not know, and rows tell. */
export interface TraceWords {
  /** The ledger entries that a contact, or a co-presence, rests on; none where it is absent. */
  readonly ledgerOf?: ((step: HotStep) => readonly number[]) | undefined;
  /** Names the gateways of co-presences. */
  readonly presence?: PresenceView | undefined;
}

/** Ledger entries are read from files, some hundred rows in this time; then whoever else runs on this thread has a turn. */
const TURN_MS = 5;

/** Tells rows; a step that several paths share is told once, and is one object in all of them. */
export class RowTeller {
  readonly #people: People;
  readonly #result: WalkResult;
  readonly #words: TraceWords;
  /** By step, as far as they were wanted: the name of the person it reached, and the step. */
  readonly #names: string[] = [];
  readonly #steps: PathStep[] = [];

  /** `people`: of the view that was walked. */
  constructor(people: People, result: WalkResult, words: TraceWords) {
    this.#people = people;
    this.#result = result;
    this.#words = words;
  }

  /** Throws what `ledgerOf` throws. */
  row(row: number): ReachedPerson {
    const { hop, exposedAt, earliestAt, score, paths } = this.#result;
    return {
      person: this.#nameOf(paths.lastStep[row]!),
      hop: hop[row]!,
      exposedAt: exposedAt[row]!,
      earliestAt: earliestAt[row]!,
      score: score[row]!,
      path: this.#path(row),
    };
  }

  /** All rows, in order. Throws what `ledgerOf` throws. */
  rows(): ReachedPerson[] {
    const rows: ReachedPerson[] = [];
    for (let row = 0; row < this.#result.person.length; row++) rows.push(this.row(row));
    return rows;
  }

  /** As {@link rows}, while others have their turns. */
  async rowsInTurns(): Promise<ReachedPerson[]> {
    const rows: ReachedPerson[] = [];
    let turnEndsMs = performance.now() + TURN_MS;
    for (let row = 0; row < this.#result.person.length; row++) {
      rows.push(this.row(row));
      if (performance.now() < turnEndsMs) continue;
      await breathe();
      turnEndsMs = performance.now() + TURN_MS;
    }
    return rows;
  }

  #path(row: number): PathStep[] {
    const { direction, paths } = this.#result;
    const path: PathStep[] = [];
    for (let k = paths.lastStep[row]!; k >= 0; k = paths.before[k]!) path.push(this.#step(k));
    return direction === 'forward' ? path.reverse() : path;
  }

  #step(k: number): PathStep {
    return (this.#steps[k] ??= this.#told(k));
  }

  #told(k: number): PathStep {
    const { direction, paths } = this.#result;
    const { ledgerOf, presence } = this.#words;
    const isForward = direction === 'forward';
    const step = stepAt(paths, isForward, k);
    const { spot, start, end, nearSeconds, mutual } = step;
    const before = paths.before[k]!;
    const [near, far] = [before < 0 ? this.#tagOf(paths.near[k]!) : this.#nameOf(before), this.#nameOf(k)];
    const [from, to] = isForward ? [near, far] : [far, near];
    const told = { from, to, start, end, nearSeconds, mutual, ledger: ledgerOf?.(step) ?? [] };
    if (spot.kind !== 'presence' || presence === undefined) return told;
    return { ...told, gateway: toHex(presence.gatewayId(spot.gateway)) };
  }

  #nameOf(step: number): string {
    return (this.#names[step] ??= this.#tagOf(this.#result.paths.far[step]!));
  }

  #tagOf(person: number): string {
    return String(this.#people.tags[person]);
  }
}
