/**
 * Reports sealed to days whose keys the tracer does not hold: where they stand in the log, to be read again
 * when the keys come. They are given up once their day has left retention, since its keys are destroyed then.
 * Millions may wait, so that a city can be without the keys of a day for days; there is a bound all the same,
 * and what comes beyond it is not noted.
 *
 * They are all in the ledger: one that found no room is found again by a tracer that is begun anew.
 */
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import type { LoggedEntry } from '../follow/payloads.js';
import { ENTRY_WORDS, entryOfRow, rowOfEntry, typeOfRow } from './waiting-entry.js';
import type { WaitingEntry } from './waiting-entry.js';
import { WaitingQueues } from './waiting-queues.js';

/** 200 MB of them. */
const MAX_WAITING = 2 ** 23;

/** Told how many entries of a type will not be read any more. */
export type GiveUp = (type: number, count: number) => void;

export class WaitingReports {
  /** By day. */
  readonly #queues: WaitingQueues;
  readonly #giveUp: GiveUp;

  constructor(giveUp: GiveUp, max: number = MAX_WAITING) {
    const row = { rowWords: ENTRY_WORDS, what: 'waiting reports' };
    this.#queues = new WaitingQueues({ part: 'waiting/', ...row, max });
    this.#giveUp = giveUp;
  }

  get size(): number {
    return this.#queues.size;
  }

  /** Those that found no room, and are of days that have not all left retention. */
  get withoutRoom(): number {
    return this.#queues.withoutRoom;
  }

  add(entry: LoggedEntry, day: number): void {
    if (this.#queues.hasRoomFor(1)) return this.#queues.push(day, rowOfEntry(entry));
    this.#queues.refuse(day);
    this.#giveUp(entry.type, 1);
  }

  /** Up to `max` of a day that has its keys now. They wait until `done`, so that a failed reading loses none. */
  ready(
    hasKeys: (day: number) => boolean,
    max: number,
  ): { readonly entries: readonly WaitingEntry[]; readonly done: () => void } {
    for (const [day, queue] of this.#queues.inOrder()) {
      if (!hasKeys(day)) continue;
      const entries = queue.first(max).map(entryOfRow);
      return { entries, done: () => this.#queues.take(day, entries.length) };
    }
    return { entries: [], done: () => undefined };
  }

  /** Gives up those of days before this one. */
  forgetBefore(firstDay: number): void {
    for (const [day, queue] of this.#queues.inOrder()) {
      if (day >= firstDay) continue;
      const types = new Map<number, number>();
      for (const row of queue.rows()) types.set(typeOfRow(row), (types.get(typeOfRow(row)) ?? 0) + 1);
      for (const [type, count] of types) this.#giveUp(type, count);
      this.#queues.take(day, queue.size);
    }
    this.#queues.forgetRefusedBefore(firstDay);
  }

  /** As of {@link WaitingQueues.changes}. */
  changes(): PartChange[] {
    return this.#queues.changes();
  }

  saved(): void {
    this.#queues.saved();
  }

  /** As of {@link WaitingQueues.encode}, by day. */
  encode(): Uint8Array {
    return this.#queues.encode();
  }

  /** What {@link encode} gave, and the parts, into one that is empty. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    this.#queues.restore(bytes, parts);
  }
}
