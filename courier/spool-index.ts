/** What a spool knows of its content without reading it: sizes and times of entries, and which batch they are in. */
import { batchItemSize, BATCH_OVERHEAD } from '../protocol/mqtt/batch.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { FirebreakError } from '../protocol/errors.js';
import type { BatchLimits, Fates, OutboundEntry, SpoolDepth, SpoolLimits } from './spool.js';

interface EntryFacts {
  readonly timeMs: number;
  readonly bytes: number;
  readonly isPresence: boolean;
}

/** How much entries take of the spool's limits. */
export interface Size {
  readonly entries: number;
  readonly bytes: number;
}

export interface BatchPlan {
  readonly seq: number;
  readonly ids: readonly number[];
}

/** The methods that change it are called once the change is on disk. */
export class SpoolIndex {
  readonly #limits: SpoolLimits;
  readonly #entries = new Map<number, EntryFacts>();
  readonly #batches = new Map<number, readonly number[]>();
  /** Ids in no batch, in the order in which they are to leave. */
  readonly #unbatched = new Set<number>();
  readonly #parked = new Set<number>();
  /** Their reasons by their ids, oldest first. */
  readonly #refused = new Map<number, number>();
  /** As encoded in a batch. */
  #bytes = 0;
  readonly #presence = { entries: 0, bytes: 0 };
  #nextId: number;
  #nextSeq: number;

  constructor(limits: SpoolLimits, start: { readonly nextId: number; readonly nextSeq: number }) {
    this.#limits = limits;
    this.#nextId = start.nextId;
    this.#nextSeq = start.nextSeq;
  }

  /**
   * Throws `full` when the entries do not fit beside those held and those that are being written, or presence
   * reports not into their share. That share is not held against what is being written: whoever writes
   * presence reports posts one after another.
   */
  requireRoom(entries: readonly OutboundEntry[], waiting: Size): void {
    const { maxEntries, maxBytes, presenceShare } = this.#limits;
    const held = { entries: this.#entries.size + waiting.entries, bytes: this.#bytes + waiting.bytes };
    if (!fits(sizeOf(entries), held, { entries: maxEntries, bytes: maxBytes }))
      throw new FirebreakError(
        'full',
        'the spool is full: the ledger has not receipted anything for too long',
      );
    const presence = entries.filter(isPresence);
    const share = { entries: maxEntries * presenceShare, bytes: maxBytes * presenceShare };
    if (presence.length === 0 || fits(sizeOf(presence), this.#presence, share)) return;
    throw new FirebreakError(
      'full',
      'the spool holds as many presence reports as it may: the rest is for what tags bring',
    );
  }

  /** The id of the entry added next; one whose write failed is given again, so that ids have no gaps. */
  get nextId(): number {
    return this.#nextId;
  }

  get nextSeq(): number {
    return this.#nextSeq;
  }

  addEntry(id: number, entry: OutboundEntry): void {
    const bytes = batchItemSize(entry);
    const facts = { timeMs: entry.timeMs, bytes, isPresence: isPresence(entry) };
    this.#entries.set(id, facts);
    this.#unbatched.add(id);
    this.#count(facts, 1);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  has(id: number): boolean {
    return this.#entries.has(id);
  }

  /** The batch that would leave next; undefined when nothing waits. Throws `size` for an entry that fits none. */
  planBatch(limits: BatchLimits): BatchPlan | undefined {
    return this.#plan(this.#unbatched, limits);
  }

  planRecall(limits: BatchLimits): BatchPlan | undefined {
    return this.#plan(this.#parked, limits);
  }

  /** The same entries under the number `step` after the last one given. Throws `not-found`. */
  planRenumber(seq: number, step: number): BatchPlan {
    const ids = this.#batches.get(seq);
    if (ids === undefined) throw new FirebreakError('not-found', `there is no batch ${seq}`);
    return { seq: this.#nextSeq + step - 1, ids };
  }

  addBatch({ seq, ids }: BatchPlan): void {
    this.#batches.set(seq, ids);
    this.#nextSeq = Math.max(this.#nextSeq, seq + 1);
    for (const id of ids) {
      this.#unbatched.delete(id);
      this.#parked.delete(id);
    }
  }

  idsOf(seq: number): readonly number[] | undefined {
    return this.#batches.get(seq);
  }

  batches(): BatchPlan[] {
    return [...this.#batches].map(([seq, ids]) => ({ seq, ids })).sort((x, y) => x.seq - y.seq);
  }

  renumber(seq: number, next: BatchPlan): void {
    this.#batches.delete(seq);
    this.addBatch(next);
  }

  park(id: number): void {
    this.#unbatched.delete(id);
    this.#parked.add(id);
  }

  settle(seq: number, { parked, refused }: Fates): void {
    const kept = new Set(parked);
    for (const id of this.#batches.get(seq) ?? []) {
      if (kept.has(id)) this.park(id);
      else this.#removeEntry(id);
    }
    this.#batches.delete(seq);
    for (const { id, reason } of refused) this.#refused.set(id, reason);
  }

  /** One kept aside, found on opening. Its id is never given again. */
  addRefused(id: number, reason: number): void {
    this.#refused.set(id, reason);
    this.#nextId = Math.max(this.#nextId, id + 1);
  }

  hasRefused(id: number): boolean {
    return this.#refused.has(id);
  }

  refusedIds(): number[] {
    return [...this.#refused.keys()];
  }

  refusedByReason(): ReadonlyMap<number, number> {
    const counts = new Map<number, number>();
    for (const reason of this.#refused.values()) counts.set(reason, (counts.get(reason) ?? 0) + 1);
    return counts;
  }

  /** The oldest of the refused that have to go once `count` more are kept aside. */
  surplusRefused(count: number): number[] {
    const surplus = Math.max(0, this.#refused.size + count - this.#limits.maxRefused);
    return this.refusedIds().slice(0, surplus);
  }

  dropRefused(ids: readonly number[]): void {
    for (const id of ids) this.#refused.delete(id);
  }

  depth(): SpoolDepth {
    const [oldest] = this.#entries.values();
    return {
      entries: this.#entries.size,
      bytes: this.#bytes,
      oldestMs: oldest?.timeMs,
      parked: this.#parked.size,
      refused: this.#refused.size,
    };
  }

  #removeEntry(id: number): void {
    const facts = this.#entries.get(id);
    if (facts === undefined) return;
    this.#count(facts, -1);
    this.#entries.delete(id);
  }

  #count({ bytes, isPresence: ofPresence }: EntryFacts, sign: 1 | -1): void {
    this.#bytes += sign * bytes;
    if (!ofPresence) return;
    this.#presence.bytes += sign * bytes;
    this.#presence.entries += sign;
  }

  #plan(from: ReadonlySet<number>, { maxItems, maxBytes }: BatchLimits): BatchPlan | undefined {
    const ids: number[] = [];
    let bytes = BATCH_OVERHEAD;
    for (const id of from) {
      bytes += this.#entries.get(id)?.bytes ?? 0;
      if (ids.length === maxItems || bytes > maxBytes) break;
      ids.push(id);
    }
    if (ids.length > 0) return { seq: this.#nextSeq, ids };
    if (from.size > 0) throw new FirebreakError('size', 'an entry is larger than any batch may be');
    return undefined;
  }
}

const isPresence = ({ type }: OutboundEntry): boolean => type === ENTRY_TYPE.presenceReport;

/** Bytes as encoded in a batch. */
export function sizeOf(entries: readonly OutboundEntry[]): Size {
  return { entries: entries.length, bytes: entries.reduce((sum, entry) => sum + batchItemSize(entry), 0) };
}

const fits = (more: Size, held: Size, limit: Size): boolean =>
  held.entries + more.entries <= limit.entries && held.bytes + more.bytes <= limit.bytes;
