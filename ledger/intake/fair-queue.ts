/**
 * Batches that wait for their turn, a line for each writer: one writer's flood fills its own line and waits behind
 * itself. Turns go round the writers, one batch each. Pure: what a batch is, the owner knows.
 *
 * A batch counts against the bounds from when it is offered until it is done, so also while it is being worked on. When
 * the bound of all writers together is met, the writer that holds the most bytes gives way: the last of what it has
 * waiting is put out for a writer that would still hold less. A writer that holds little is thus always let in.
 */
export interface QueueLimits {
  readonly batchesPerWriter: number;
  readonly bytesPerWriter: number;
  /** Of all writers together. */
  readonly batches: number;
  readonly bytes: number;
}

export interface Queued<T> {
  readonly writer: string;
  readonly bytes: number;
  readonly item: T;
}

interface Line<T> {
  readonly waiting: Queued<T>[];
  batches: number;
  bytes: number;
}

export class FairQueue<T> {
  readonly #limits: QueueLimits;
  readonly #lines = new Map<string, Line<T>>();
  /** Writers with something waiting, in the order of their turns. */
  readonly #turns = new Set<string>();
  #batches = 0;
  #bytes = 0;

  constructor(limits: QueueLimits) {
    this.#limits = limits;
  }

  /** Batches held: waiting, and taken but not done. */
  get batches(): number {
    return this.#batches;
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Takes in a batch at the end of its writer's line, and says what was put out for it; `undefined` when it finds no room. */
  offer(queued: Queued<T>): readonly Queued<T>[] | undefined {
    const { writer, bytes } = queued;
    const { batchesPerWriter, bytesPerWriter } = this.#limits;
    const line = this.#lines.get(writer) ?? { waiting: [], batches: 0, bytes: 0 };
    if (line.batches >= batchesPerWriter || line.bytes + bytes > bytesPerWriter) return undefined;
    const putOut = this.#makeRoom(queued, line.bytes + bytes);
    if (putOut === undefined) return undefined;
    this.#lines.set(writer, line);
    line.waiting.push(queued);
    this.#turns.add(writer);
    this.#hold(line, 1, bytes);
    return putOut;
  }

  /** The next batch, of the writer whose turn it is; that writer's next turn comes after everybody else's. */
  take(): Queued<T> | undefined {
    for (const writer of this.#turns) {
      this.#turns.delete(writer);
      const line = this.#lines.get(writer);
      const next = line?.waiting.shift();
      if (line !== undefined && line.waiting.length > 0) this.#turns.add(writer);
      if (next !== undefined) return next;
    }
    return undefined;
  }

  /** To be called once for each batch that was taken, when it is answered. */
  done({ writer, bytes }: Queued<T>): void {
    const line = this.#lines.get(writer);
    if (line === undefined) return;
    this.#hold(line, -1, -bytes);
    if (line.batches === 0) this.#lines.delete(writer);
  }

  /** Puts out what has to go for `wanted`, after which its writer holds `heldBytes`. `undefined`, and nothing put out, when that would be unfair. */
  #makeRoom({ bytes }: Queued<T>, heldBytes: number): Queued<T>[] | undefined {
    const fits = (batches: number, freed: number): boolean =>
      this.#batches - batches < this.#limits.batches && this.#bytes - freed + bytes <= this.#limits.bytes;
    if (fits(0, 0)) return [];
    const largest = this.#largest();
    if (largest === undefined) return undefined;
    let freed = 0;
    let count = 0;
    for (const { bytes: size } of largest.waiting.toReversed()) {
      if (largest.bytes - freed <= heldBytes) return undefined;
      freed += size;
      count += 1;
      if (fits(count, freed)) return this.#putOut(largest, count, freed);
    }
    return undefined;
  }

  /** The line that holds the most bytes of those with something waiting. */
  #largest(): Line<T> | undefined {
    let largest: Line<T> | undefined;
    for (const writer of this.#turns) {
      const line = this.#lines.get(writer);
      if (line !== undefined && line.bytes > (largest?.bytes ?? 0)) largest = line;
    }
    return largest;
  }

  #putOut(line: Line<T>, count: number, freed: number): Queued<T>[] {
    const putOut = line.waiting.splice(-count);
    const [first] = putOut;
    if (line.waiting.length === 0 && first !== undefined) this.#turns.delete(first.writer);
    if (line.batches === count && first !== undefined) this.#lines.delete(first.writer);
    this.#hold(line, -count, -freed);
    return putOut;
  }

  #hold(line: Line<T>, batches: number, bytes: number): void {
    line.batches += batches;
    line.bytes += bytes;
    this.#batches += batches;
    this.#bytes += bytes;
  }
}
