/**
 * Records of reports that were taken, which wait for the keys of the neighbouring day (midnight-record.ts), by
 * midnight. They go when one of the two days leaves retention: its own, with which all that was told of it
 * goes, or the other, whose keys are destroyed then. They are few, unless somebody makes many; there is a
 * bound, and of a report that finds no room none waits.
 */
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { dayOf } from '../../protocol/time.js';
import { WaitingQueues } from './waiting-queues.js';
import { MIDNIGHT_WORDS, recordOfRow, rowOfRecord } from './midnight-record.js';
import type { MidnightRecord, WaitingRecord } from './midnight-record.js';

/** 80 MB of them. */
const MAX_RECORDS = 2 ** 20;

export class MidnightRecords {
  /** By {@link queueOf}. */
  readonly #queues: WaitingQueues;

  constructor(max: number = MAX_RECORDS) {
    const row = { rowWords: MIDNIGHT_WORDS, what: 'records from near midnight' };
    this.#queues = new WaitingQueues({ part: 'midnight/', ...row, max });
  }

  get size(): number {
    return this.#queues.size;
  }

  /** Reports of whose records some found no room, and are of days that have not all left retention. */
  get withoutRoom(): number {
    return this.#queues.withoutRoom;
  }

  /** Those of one report. */
  add(records: readonly WaitingRecord[]): void {
    const [first] = records;
    if (first === undefined) return;
    if (!this.#queues.hasRoomFor(records.length)) return this.#queues.refuse(first.waitsForDay);
    for (const record of records) this.#queues.push(queueOf(record), rowOfRecord(record));
  }

  /** Up to `max` that wait for a day that has its keys now. They wait until `done`. */
  ready(
    hasKeys: (day: number) => boolean,
    max: number,
  ): { readonly records: readonly MidnightRecord[]; readonly done: () => void } {
    for (const [number, queue] of this.#queues.inOrder()) {
      if (!hasKeys(daysOf(number).waitsFor)) continue;
      const records = queue.first(max).map(recordOfRow);
      return { records, done: () => this.#queues.take(number, records.length) };
    }
    return { records: [], done: () => undefined };
  }

  forgetBefore(firstDay: number): void {
    for (const [number, queue] of this.#queues.inOrder()) {
      const { own, waitsFor } = daysOf(number);
      if (Math.min(own, waitsFor) < firstDay) this.#queues.take(number, queue.size);
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

  /** As of {@link WaitingQueues.encode}. */
  encode(): Uint8Array {
    return this.#queues.encode();
  }

  /** What {@link encode} gave, and the parts, into one that is empty. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    this.#queues.restore(bytes, parts);
  }
}

/** Two a day: 2 · the day that is waited for, and one more where the records are of the day after it. */
const queueOf = ({ waitsForDay, record }: WaitingRecord): number =>
  2 * waitsForDay + Number(dayOf(record.start) > waitsForDay);

function daysOf(queue: number): { readonly own: number; readonly waitsFor: number } {
  const waitsFor = Math.floor(queue / 2);
  return { own: queue % 2 === 1 ? waitsFor + 1 : waitsFor - 1, waitsFor };
}
