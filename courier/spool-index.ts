/** What a spool knows of its content without reading it: sizes and times of entries, and the batches formed of them. */
import { batchItemSize, BATCH_OVERHEAD } from '../protocol/batch.js';
import { FirebreakError } from '../protocol/errors.js';
import type { BatchLimits, OutboundEntry, SpoolDepth, SpoolLimits } from './spool.js';

interface EntryFacts {
  readonly timeMs: number;
  readonly bytes: number;
}

export interface BatchSpan {
  readonly seq: number;
  readonly firstId: number;
  readonly count: number;
}

export class SpoolIndex {
  readonly #limits: SpoolLimits;
  readonly #entries = new Map<number, EntryFacts>();
  readonly #batches = new Map<number, BatchSpan>();
  #bytes = 0; // as encoded in a batch
  #nextId: number;
  #nextSeq: number;
  #nextUnbatched: number;

  constructor(limits: SpoolLimits, start: { readonly nextId: number; readonly nextSeq: number }) {
    this.#limits = limits;
    this.#nextId = start.nextId;
    this.#nextSeq = start.nextSeq;
    this.#nextUnbatched = start.nextId;
  }

  /** Throws `full` when the entries do not fit. */
  requireRoom(
    entries: readonly OutboundEntry[],
    waiting: { readonly entries: number; readonly bytes: number },
  ): void {
    const bytes = entries.reduce((sum, entry) => sum + batchItemSize(entry), 0);
    const fits =
      this.#entries.size + waiting.entries + entries.length <= this.#limits.maxEntries &&
      this.#bytes + waiting.bytes + bytes <= this.#limits.maxBytes;
    if (!fits)
      throw new FirebreakError(
        'full',
        'the spool is full: the ledger has not receipted anything for too long',
      );
  }

  /** The id of the entry added next; one whose write failed is given again, so that ids have no gaps. */
  get nextId(): number {
    return this.#nextId;
  }

  addEntry(id: number, entry: OutboundEntry): void {
    this.#entries.set(id, { timeMs: entry.timeMs, bytes: batchItemSize(entry) });
    this.#bytes += batchItemSize(entry);
    if (id >= this.#nextId) this.#nextId = id + 1;
    this.#nextUnbatched = Math.min(this.#nextUnbatched, id);
  }

  /** The entries the next batch would hold; undefined when all are in batches. */
  planBatch({ maxItems, maxBytes }: BatchLimits): BatchSpan | undefined {
    let bytes = BATCH_OVERHEAD;
    let count = 0;
    for (let id = this.#nextUnbatched; count < maxItems; id++, count++) {
      const facts = this.#entries.get(id);
      if (facts === undefined || bytes + facts.bytes > maxBytes) break;
      bytes += facts.bytes;
    }
    if (count > 0) return { seq: this.#nextSeq, firstId: this.#nextUnbatched, count };
    if (this.#entries.has(this.#nextUnbatched))
      throw new FirebreakError('size', 'an entry is larger than any batch may be');
    return undefined;
  }

  addBatch(span: BatchSpan): void {
    this.#batches.set(span.seq, span);
    this.#nextSeq = Math.max(this.#nextSeq, span.seq + 1);
    this.#nextUnbatched = Math.max(this.#nextUnbatched, span.firstId + span.count);
  }

  batches(): BatchSpan[] {
    return [...this.#batches.values()].sort((x, y) => x.seq - y.seq);
  }

  removeBatch(seq: number): BatchSpan | undefined {
    const span = this.#batches.get(seq);
    if (span === undefined) return undefined;
    this.#batches.delete(seq);
    for (let id = span.firstId; id < span.firstId + span.count; id++) {
      this.#bytes -= this.#entries.get(id)?.bytes ?? 0;
      this.#entries.delete(id);
    }
    return span;
  }

  depth(): SpoolDepth {
    const [oldest] = this.#entries.values();
    return { entries: this.#entries.size, bytes: this.#bytes, oldestMs: oldest?.timeMs };
  }
}
