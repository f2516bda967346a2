/**
 * The segments of an open store, as they stand in memory and as they stand on the disk: those that are
 * committed, those that were made since, and those that were taken out and are in the store until the next
 * commit.
 */
import type { PartChange } from './kept-parts.js';
import type { LedgerPosition, SegmentInfo } from './manifest.js';
import type { SealedSegment } from './sealed-segment.js';
import type { SegmentStore } from './segment-store.js';
import type { StoredSegment } from './store-open.js';

export class StandingSegments {
  readonly #store: SegmentStore;
  /** Committed, by id. */
  readonly #inStore: Map<number, StoredSegment>;
  /** In place and not committed yet. */
  readonly #made = new Map<number, StoredSegment>();
  /** Taken out and not committed yet. */
  readonly #removed = new Map<number, SealedSegment | undefined>();
  /** Lets go of files when no view holds the segment any more. */
  readonly #release = new FinalizationRegistry<() => void>((letGo) => letGo());

  constructor(store: SegmentStore) {
    this.#store = store;
    this.#inStore = new Map(store.segments.map((stored) => [stored.info.id, stored]));
  }

  /** Whether there is something that a commit would make last. */
  get hasUncommitted(): boolean {
    return this.#made.size > 0 || this.#removed.size > 0;
  }

  /** Committed, those too that were taken out since. */
  get inStore(): readonly StoredSegment[] {
    return [...this.#inStore.values()];
  }

  /** Committed, and not taken out since. */
  get lasting(): readonly SegmentInfo[] {
    return this.inStore.map(({ info }) => info).filter(({ id }) => !this.#removed.has(id));
  }

  /** In place, committed or not. */
  get inPlace(): readonly SegmentInfo[] {
    return [...this.lasting, ...[...this.#made.values()].map(({ info }) => info)];
  }

  /** One that was made is in place. */
  put(stored: StoredSegment): void {
    this.#made.set(stored.info.id, stored);
  }

  /** It is in place no longer. What was made and never committed has only to be let go. */
  remove(id: number, sealed: SealedSegment | undefined): void {
    const made = this.#made.get(id);
    if (made === undefined) this.#removed.set(id, sealed);
    else this.#release.register(made.segment, discarding(this.#store, id));
    this.#made.delete(id);
  }

  /**
   * Makes the state of things last, with the state that goes with it. Throws what {@link SegmentStore.commit}
   * throws.
   */
  async commit(position: LedgerPosition, state: Uint8Array, parts: readonly PartChange[]): Promise<void> {
    const [add, removed] = [[...this.#made.values()], [...this.#removed]];
    await this.#store.commit({ add, remove: removed.map(([id]) => id), position, state, parts });
    for (const stored of add) {
      this.#inStore.set(stored.info.id, stored);
      this.#made.delete(stored.info.id);
    }
    for (const [id, sealed] of removed) {
      this.#removed.delete(id);
      this.#inStore.delete(id);
      if (sealed) this.#release.register(sealed.segment, () => this.#store.release([id]));
    }
  }
}

/** Holds the number alone: who holds the segment keeps it from ever being let go. */
const discarding = (store: SegmentStore, id: number) => () => void store.discard(id);
