/**
 * Batches that wait for their turn, a line for each writer: one writer's flood fills its own line and waits behind
 * itself. Turns go round the writers, one batch each. Pure: what a batch is, the owner knows.
 *
 * A batch counts against the bounds from when it is offered until it is done, so also while it is being
 * worked on. When a bound of all writers together is met, the writer that holds the most of what is scarce,
 * batches or bytes, gives way: the last of what it has waiting is evicted for a writer that would still hold
 * less of it. So a writer that holds less than the others is let in, as long as they have something waiting.
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

interface Held {
  batches: number;
  bytes: number;
}

interface Line<T> extends Held {
  readonly waiting: Queued<T>[];
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

  /**
   * Takes in a batch at the end of its writer's line, and gives what was evicted for it; `undefined` when it
   * finds no room.
   */
  offer(queued: Queued<T>): readonly Queued<T>[] | undefined {
    const { writer, bytes } = queued;
    const { batchesPerWriter, bytesPerWriter } = this.#limits;
    const line = this.#lines.get(writer) ?? { waiting: [], batches: 0, bytes: 0 };
    if (line.batches >= batchesPerWriter || line.bytes + bytes > bytesPerWriter) return undefined;
    const evicted = this.#makeRoom(line, bytes);
    if (evicted === undefined) return undefined;
    this.#lines.set(writer, line);
    line.waiting.push(queued);
    this.#turns.add(writer);
    this.#hold(line, 1, bytes);
    return evicted;
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

  /** Evicts what has to go for a batch of `line`; `undefined`, and nothing is evicted, when that would be unfair. */
  #makeRoom(line: Line<T>, bytes: number): Queued<T>[] | undefined {
    const withIt = { batches: line.batches + 1, bytes: line.bytes + bytes };
    const evictions = new Map<Line<T>, Held>();
    const left: Held = { batches: this.#batches, bytes: this.#bytes };
    while (left.batches >= this.#limits.batches || left.bytes + bytes > this.#limits.bytes) {
      const scarce = left.batches >= this.#limits.batches ? 'batches' : 'bytes';
      const largest = this.#largest(scarce, evictions);
      const gone = (largest && evictions.get(largest)) ?? { batches: 0, bytes: 0 };
      if (largest === undefined || largest[scarce] - gone[scarce] <= withIt[scarce]) return undefined;
      const size = largest.waiting.at(-1 - gone.batches)?.bytes ?? 0;
      evictions.set(largest, { batches: gone.batches + 1, bytes: gone.bytes + size });
      left.batches -= 1;
      left.bytes -= size;
    }
    return [...evictions].flatMap(([one, gone]) => this.#evict(one, gone));
  }

  /** The line that would hold the most after these evictions, of those that would still have something waiting. */
  #largest(what: keyof Held, evictions: ReadonlyMap<Line<T>, Held>): Line<T> | undefined {
    let largest: Line<T> | undefined;
    let most = 0;
    for (const writer of this.#turns) {
      const line = this.#lines.get(writer);
      if (line === undefined) continue;
      const gone = evictions.get(line);
      const held = line[what] - (gone?.[what] ?? 0);
      if (held <= most || line.waiting.length === gone?.batches) continue;
      [largest, most] = [line, held];
    }
    return largest;
  }

  /** The last so many batches of a line, which hold so many bytes. */
  #evict(line: Line<T>, { batches, bytes }: Held): Queued<T>[] {
    const evicted = line.waiting.splice(-batches);
    const [first] = evicted;
    if (line.waiting.length === 0 && first !== undefined) this.#turns.delete(first.writer);
    if (line.batches === batches && first !== undefined) this.#lines.delete(first.writer);
    this.#hold(line, -batches, -bytes);
    return evicted;
  }

  #hold(line: Line<T>, batches: number, bytes: number): void {
    line.batches += batches;
    line.bytes += bytes;
    this.#batches += batches;
    this.#bytes += bytes;
  }
}
