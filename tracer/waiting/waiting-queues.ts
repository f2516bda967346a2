/**
 * Queues of what waits for the keys of a day, by number, each a part of the contact store of its own. There is
 * room for so many rows in all; of what found none it is remembered how much it was, until it would have left
 * retention.
 */
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
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
  readonly #queues = new Map<number, RowQueue>();
  /** Queues that are saved and are to be so no longer. */
  #gone: number[] = [];
  #size = 0;
  #withoutRoom = 0;
  /** The newest day of one that found no room. */
  #fullDay = 0;

  constructor(settings: QueueSettings) {
    this.#settings = settings;
  }

  /** Rows that wait. */
  get size(): number {
    return this.#size;
  }

  /** What found no room, and is not all of days that have left retention. */
  get withoutRoom(): number {
    return this.#withoutRoom;
  }

  hasRoomFor(rows: number): boolean {
    return this.#size + rows <= this.#settings.max;
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
    const queue = this.#queues.get(number) ?? new RowQueue(this.#settings.rowWords);
    this.#queues.set(number, queue);
    queue.push(row);
    this.#size += 1;
  }

  /** Those that are not empty, by number; they may be taken from meanwhile. */
  inOrder(): [number, RowQueue][] {
    return [...this.#queues].sort(([x], [y]) => x - y);
  }

  /** The first rows of this queue wait no more. */
  take(number: number, count: number): void {
    const queue = this.#queues.get(number);
    if (queue === undefined) return;
    queue.take(count);
    this.#size -= count;
    if (queue.size > 0) return;
    this.#queues.delete(number);
    if (queue.isKept) this.#gone.push(number);
  }

  /** What is not saved yet, a part for each queue. It is as good as saved once {@link saved} is called. */
  changes(): PartChange[] {
    const { part } = this.#settings;
    const gone = this.#gone.map((number) => ({ kind: 'remove', name: part + number }) as const);
    const grown = this.inOrder().map(
      ([number, queue]) => ({ kind: 'append', name: part + number, bytes: queue.fresh() }) as const,
    );
    return [...gone, ...grown.filter(({ bytes }) => bytes.length > 0)];
  }

  saved(): void {
    this.#gone = [];
    for (const queue of this.#queues.values()) queue.saved();
  }

  /**
   * What parts do not say: without room u48, their newest day u32, then each queue u32 | at the front wait no
   * more u48.
   */
  encode(): Uint8Array {
    const size = HEAD_BYTES + QUEUE_BYTES * this.#queues.size;
    const writer = new ByteWriter(size).u48(this.#withoutRoom).u32(this.#fullDay);
    for (const [number, { taken }] of this.#queues) writer.u32(number).u48(taken);
    return writer.finish();
  }

  /** What {@link encode} gave, and the parts, where nothing waits yet. Throws `format`. */
  restore(bytes: Uint8Array, parts: KeptParts): void {
    const { part, rowWords, what } = this.#settings;
    const reader = new ByteReader(bytes, what);
    [this.#withoutRoom, this.#fullDay] = [reader.u48(), reader.u32()];
    for (let left = (bytes.length - HEAD_BYTES) / QUEUE_BYTES; left > 0; left--) {
      const [number, taken] = [reader.u32(), reader.u48()];
      const queue = new RowQueue(rowWords);
      queue.restore(parts.get(part + number) ?? new Uint8Array(), taken, what);
      this.#queues.set(number, queue);
      this.#size += queue.size;
    }
    reader.end();
  }
}
