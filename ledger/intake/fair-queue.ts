/**
 * Batches that wait for their turn, a line for each writer: one writer's flood fills its own line and waits behind
 * itself. Turns go round the writers, one batch each. Pure: what a batch is, the owner knows.
 *
 * A batch counts against the bounds from when it is offered until it is done, so also while it is being worked on. When
 * a bound of all writers together is met, the writer that holds the most of what is short, batches or bytes, gives way:
 * the last of what it has waiting is put out for a writer that would still hold less of it. So a writer that holds less
 * than the others is let in, as long as they have something waiting.
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

  /** Takes in a batch at the end of its writer's line, and says what was put out for it; `undefined` when it finds no room. */
  offer(queued: Queued<T>): readonly Queued<T>[] | undefined {
    const { writer, bytes } = queued;
    const { batchesPerWriter, bytesPerWriter } = this.#limits;
    const line = this.#lines.get(writer) ?? { waiting: [], batches: 0, bytes: 0 };
    if (line.batches >= batchesPerWriter || line.bytes + bytes > bytesPerWriter) return undefined;
    const putOut = this.#makeRoom(line, bytes);
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

  /** Puts out what has to go for a batch of `line`. `undefined`, and nothing put out, when that would be unfair. */
  #makeRoom(line: Line<T>, bytes: number): Queued<T>[] | undefined {
    const would = { batches: line.batches + 1, bytes: line.bytes + bytes };
    const going = new Map<Line<T>, Held>();
    const left: Held = { batches: this.#batches, bytes: this.#bytes };
    while (left.batches >= this.#limits.batches || left.bytes + bytes > this.#limits.bytes) {
      const short = left.batches >= this.#limits.batches ? 'batches' : 'bytes';
      const largest = this.#largest(short, going);
      const gone = (largest && going.get(largest)) ?? { batches: 0, bytes: 0 };
      if (largest === undefined || largest[short] - gone[short] <= would[short]) return undefined;
      const size = largest.waiting.at(-1 - gone.batches)?.bytes ?? 0;
      going.set(largest, { batches: gone.batches + 1, bytes: gone.bytes + size });
      left.batches -= 1;
      left.bytes -= size;
    }
    return [...going].flatMap(([one, gone]) => this.#putOut(one, gone));
  }

  /** The line that holds the most of it, when what is `going` has gone, of those with something waiting then. */
  #largest(what: keyof Held, going: ReadonlyMap<Line<T>, Held>): Line<T> | undefined {
    let largest: Line<T> | undefined;
    let most = 0;
    for (const writer of this.#turns) {
      const line = this.#lines.get(writer);
      if (line === undefined) continue;
      const gone = going.get(line);
      const held = line[what] - (gone?.[what] ?? 0);
      if (held <= most || line.waiting.length === gone?.batches) continue;
      [largest, most] = [line, held];
    }
    return largest;
  }

  #putOut(line: Line<T>, { batches, bytes }: Held): Queued<T>[] {
    const putOut = line.waiting.splice(-batches);
    const [first] = putOut;
    if (line.waiting.length === 0 && first !== undefined) this.#turns.delete(first.writer);
    if (line.batches === batches && first !== undefined) this.#lines.delete(first.writer);
    this.#hold(line, -batches, -bytes);
    return putOut;
  }

  #hold(line: Line<T>, batches: number, bytes: number): void {
    line.batches += batches;
    line.bytes += bytes;
    this.#batches += batches;
    this.#bytes += bytes;
  }
}
