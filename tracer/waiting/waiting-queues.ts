/**
 * Queues of what waits for the keys of a day, by number, each a part of the contact store of its own. There is
 * room for so many rows in all; of what found none it is remembered how much it was, until it would have left
 * retention.
 */
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { DayParts } from '../contacts/day-parts.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { RowQueue } from './row-queue.js';

const HEAD_BYTES = 10;
const QUEUE_BYTES = 10;

export interface QueueSettings {
  /** What names of parts begin with. */
  readonly part: string;
  readonly rowWords: number;
  /** Rows in all. */
  readonly max: number;
  /** For whoever reads an error. */
  readonly what: string;
}

export class WaitingQueues {
  readonly #settings: QueueSettings;
  readonly #queues: DayParts<RowQueue>;
  #withoutRoom = 0;
  /** The newest day of one that found no room. */
  #fullDay = 0;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
    this.#queues = new DayParts(settings.part, () => new RowQueue(settings.rowWords, settings.what));
  }

  /** Rows that wait. */
  get size(): number {
    let size = 0;
    for (const queue of this.#queues.days.values()) size += queue.size;
    return size;
  }

  /** What found no room, and is not all of days that have left retention. */
  get withoutRoom(): number {
    return this.#withoutRoom;
  }

  hasRoomFor(rows: number): boolean {
    return this.size + rows <= this.#settings.max;
  }

  /** One that needs the keys of this day found no room. */
  refuse(day: number): void {
    this.#withoutRoom += 1;
    this.#fullDay = Math.max(this.#fullDay, day);
  }

  forgetRefusedBefore(firstDay: number): void {
    if (this.#fullDay < firstDay) this.#withoutRoom = 0;
  }

  push(number: number, row: ArrayLike<number>): void {
    this.#queues.at(number).push(row);
  }

  /** Those that are not empty, by number; they may be taken from meanwhile. */
  inOrder(): [number, RowQueue][] {
    return [...this.#queues.days].sort(([x], [y]) => x - y);
  }

  /** The first rows of this queue wait no more. */
  take(number: number, count: number): void {
    const queue = this.#queues.days.get(number);
    if (queue === undefined) return;
    queue.take(count);
    if (queue.size === 0) this.#queues.forget(number);
  }

  /** As of {@link DayParts.changes}. */
  changes(): PartChange[] {
    return this.#queues.changes();
  }

  saved(): void {
    this.#queues.saved();
  }

  /**
   * What parts do not say: without room u48, their newest day u32, then each queue u32 | at the front wait no
   * more u48.
   */
  encode(): Uint8Array {
    const { days: queues } = this.#queues;
    const size = HEAD_BYTES + QUEUE_BYTES * queues.size;
    const writer = new ByteWriter(size).u48(this.#withoutRoom).u32(this.#fullDay);
    for (const [number, { taken }] of queues) writer.u32(number).u48(taken);
    return writer.finish();
  }

  /** What {@link encode} gave, and the parts, where nothing waits yet. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    const reader = new ByteReader(bytes, this.#settings.what);
    [this.#withoutRoom, this.#fullDay] = [reader.u48(), reader.u32()];
    this.#queues.restore(parts);
    for (let left = (bytes.length - HEAD_BYTES) / QUEUE_BYTES; left > 0; left--) {
      const queue = this.#queues.at(reader.u32());
      queue.take(Math.min(reader.u48(), queue.size));
    }
    reader.end();
  }
}
