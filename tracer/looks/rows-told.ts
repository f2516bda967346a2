/** The rows of a walk in words of tag numbers (tracing.md, "Output of a trace"). */
import { toHex } from '../../protocol/bytes.js';
import type { People } from '../contacts/people.js';
import type { PathStep, ReachedPerson } from './trace-result.js';
import type { PresenceView } from '../presence/presence-view.js';
import { gatewayOf, stepAt } from '../walk/paths.js';
import { Turns } from '../turns.js';
import type { HotStep } from '../walk/paths.js';
import type { WalkResult } from '../walk/walk-result.js';

/** What a walk does not know, and rows tell. */
export interface TraceWords {
  /** The ledger entries that a contact, or a co-presence, rests on; none where it is absent. */
  readonly ledgerOf?: ((step: HotStep) => readonly number[]) | undefined;
  /** Names the gateways of co-presences. */
  readonly presence?: PresenceView | undefined;
}

const NO_ENTRIES: readonly number[] = [];

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
    const { hop, exposedAt, earliestAt, score } = this.#result;
    return {
      person: this.person(row),
      hop: hop[row]!,
      exposedAt: exposedAt[row]!,
      earliestAt: earliestAt[row]!,
      score: score[row]!,
      path: this.path(row),
    };
  }

  /** All rows, in order. Throws what `ledgerOf` throws. */
  rows(): ReachedPerson[] {
    const rows: ReachedPerson[] = [];
    this.#nameAll();
    for (let row = 0; row < this.#result.person.length; row++) rows.push(this.row(row));
    return rows;
  }

  /**
   * These, while others have their turns: ledger entries are read from files. Throws what `ledgerOf` does, and
   * the signal's reason.
   */
  async rowsInTurns(wanted: Iterable<number>, signal?: AbortSignal): Promise<ReachedPerson[]> {
    const turns = new Turns(signal);
    const rows: ReachedPerson[] = [];
    for (const row of wanted) {
      rows.push(this.row(row));
      if (turns.isOver) await turns.next();
    }
    return rows;
  }

  /** All rows, in order. What is read of one is told then; its path throws what `ledgerOf` throws. */
  rowsToTell(): ReachedPerson[] {
    return Array.from(this.#result.person, (_, row) => new UntoldRow(this, this.#result, row));
  }

  person(row: number): string {
    return this.#nameOf(this.#result.paths.lastStep[row]!);
  }

  path(row: number): PathStep[] {
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
    const before = paths.before[k]!;
    const [near, far] = [before < 0 ? this.#tagOf(paths.near[k]!) : this.#nameOf(before), this.#nameOf(k)];
    const [from, to] = isForward ? [near, far] : [far, near];
    const told = {
      from,
      to,
      start: paths.start[k]!,
      end: paths.end[k]!,
      nearSeconds: paths.nearSeconds[k]!,
      mutual: paths.mutual[k] === 1,
      ledger: ledgerOf?.(stepAt(paths, isForward, k)) ?? NO_ENTRIES,
    };
    const gateway = gatewayOf(paths, k);
    if (gateway === undefined || presence === undefined) return told;
    return { ...told, gateway: toHex(presence.gatewayId(gateway)) };
  }

  /** Tag numbers lie all over the memory: a loop that reads nothing else waits for many of them at once. */
  #nameAll(): void {
    const { far } = this.#result.paths;
    const { tags } = this.#people;
    const found = new Float64Array(far.length);
    for (let step = 0; step < far.length; step++) found[step] = tags[far[step]!]!;
    for (let step = 0; step < far.length; step++) this.#names[step] = String(found[step]);
  }

  #nameOf(step: number): string {
    return (this.#names[step] ??= this.#tagOf(this.#result.paths.far[step]!));
  }

  #tagOf(person: number): string {
    return String(this.#people.tags[person]);
  }
}

/**
 * A row of which little is wanted: a few words of memory until it is read, and nothing kept of its path but the
 * steps.
 */
class UntoldRow implements ReachedPerson {
  readonly #teller: RowTeller;
  readonly #result: WalkResult;
  readonly #row: number;

  constructor(teller: RowTeller, result: WalkResult, row: number) {
    this.#teller = teller;
    this.#result = result;
    this.#row = row;
  }

  get person(): string {
    return this.#teller.person(this.#row);
  }

  get hop(): number {
    return this.#result.hop[this.#row]!;
  }

  get exposedAt(): number {
    return this.#result.exposedAt[this.#row]!;
  }

  get earliestAt(): number {
    return this.#result.earliestAt[this.#row]!;
  }

  get score(): number {
    return this.#result.score[this.#row]!;
  }

  get path(): readonly PathStep[] {
    return this.#teller.path(this.#row);
  }
}
