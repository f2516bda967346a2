/**
 * Puts segments in place of what they were made of: of the days of a live table, or of other segments. Always in this
 * order: it looks up the contacts that changed while a segment was made, which reads evidence and may fail with
 * nothing changed; then it puts the segment in its place, and takes out what it holds. All in one turn, so that nothing
 * is added meanwhile. What fails after the looking up leaves contacts in both places: {@link Placement.damage}.
 */
import { asError } from '../../protocol/errors.js';
import type { DayToSeal } from './live-days.js';
import type { LiveRows } from './live-table.js';
import type { LiveWriter } from './live-writer.js';
import type { ReplacedEntry } from './replaced-book.js';
import type { MetOnce, SealedContacts } from './sealed-contacts.js';
import { sealedSegment } from './sealed-segment.js';
import type { SealedSegment } from './sealed-segment.js';
import { holdsOlder } from './segment-search.js';
import type { SegmentStore } from './segment-store.js';
import { StandingSegments } from './standing-segments.js';
import type { StoredSegment } from './store-open.js';

export interface PlacementDeps {
  readonly store: SegmentStore;
  readonly writer: LiveWriter;
}

/** A segment that was made, and is in its place once it is put there. */
export interface Made {
  readonly stored: StoredSegment;
  readonly sealed: SealedSegment;
}

/** A day of a table, and the segment that was made of it. */
export interface MadeDay extends Made {
  readonly day: DayToSeal;
}

export interface MadeOfSegments {
  readonly ids: readonly number[];
  /** By id: the entries that were replaced when it was begun, and so left out. */
  readonly before: ReadonlyMap<number, readonly ReplacedEntry[]>;
  /** What ended before was left out, unix seconds. */
  readonly keepFrom: number;
  /** Absent when nothing was left of them. */
  readonly made: Made | undefined;
}

export class Placement {
  readonly segments: StandingSegments;
  readonly #writer: LiveWriter;
  readonly #sealed: SealedContacts;
  /** By segment id: the border of retention, unix seconds, that it was last cut at. */
  readonly #cutAt = new Map<number, number>();
  #changes = 0;
  #damage: Error | undefined;

  constructor({ store, writer }: PlacementDeps) {
    this.segments = new StandingSegments(store);
    this.#writer = writer;
    this.#sealed = writer.sealed;
  }

  /** Goes up whenever a view has other tables than before. */
  get changes(): number {
    return this.#changes;
  }

  /** Set when a change failed half way: contacts may stand twice, or not at all. */
  get damage(): Error | undefined {
    return this.#damage;
  }

  /** The border of retention that a segment was last cut at, unix seconds; 0 before it ever was. */
  cutAt(id: number): number {
    return this.#cutAt.get(id) ?? 0;
  }

  /** Puts the segments of the store in place, when it is opened: as {@link LiveSealer.begin}. */
  async begin(keepFrom: number): Promise<void> {
    for (const stored of this.segments.inStore) {
      this.#sealed.add(await sealedSegment(stored));
      if (!holdsOlder(stored.segment, keepFrom)) this.#cutAt.set(stored.info.id, keepFrom);
      this.#writer.noteSegment(stored.segment);
    }
  }

  /**
   * Looks up what died in a table while segments of its days were made, and gives what puts them in place of it, to be
   * called in the same turn. Throws what reading evidence does.
   */
  lookUpDays(table: LiveRows, days: readonly MadeDay[]): () => void {
    const { died, firstVersion } = table.table;
    const replacings: (() => void)[] = [];
    for (const { day, sealed } of days)
      for (const version of day.versions) {
        const by = died[version - firstVersion]!;
        if (by !== 0) replacings.push(...this.#replacing(sealed, table.read(version), by));
      }
    return this.#orDamage(() => {
      for (const made of days) this.#put(made);
      for (const replace of replacings) replace();
      this.#takeOut(table, days);
    });
  }

  /** The same for a segment that was made of others: what was replaced in those meanwhile, and it in place of them. */
  lookUpSegments({ ids, before, keepFrom, made }: MadeOfSegments): () => void {
    const late = made ? ids.flatMap((id) => this.#sealed.replacedSince(id, before.get(id) ?? [])) : [];
    const replacings = late.flatMap(({ contact, version }) =>
      made ? this.#replacing(made.sealed, contact, version) : [],
    );
    return this.#orDamage(() => {
      if (made) this.#put(made);
      if (made) this.#cutAt.set(made.stored.info.id, keepFrom);
      for (const replace of replacings) replace();
      this.remove(ids);
    });
  }

  /** Takes segments out, with nothing in their place. */
  remove(ids: readonly number[]): void {
    for (const id of ids) {
      const sealed = this.#sealed.list.find(({ segment }) => segment.id === id);
      this.#cutAt.delete(id);
      this.segments.remove(id, sealed);
    }
    this.#sealed.remove(ids);
    this.#changes += 1;
  }

  /** What notes that this version took the contact's place in the segment; none where the segment does not hold it. */
  #replacing(sealed: SealedSegment, contact: MetOnce, version: number): (() => void)[] {
    const place = this.#sealed.placeOf(sealed, contact);
    const { lower, upper } = contact;
    return place ? [() => this.#sealed.replace(place, lower, upper, version)] : [];
  }

  #put({ stored, sealed }: Made): void {
    this.segments.put(stored);
    this.#sealed.add(sealed);
  }

  /** What is alive in the table and in none of the segments goes on in the table that is written to. */
  #takeOut(table: LiveRows, days: readonly MadeDay[]): void {
    const { firstVersion, died } = table.table;
    const isSealed = new Uint8Array(table.count);
    for (const { day } of days) for (const version of day.versions) isSealed[version - firstVersion] = 1;
    for (let row = 0; row < table.count; row++)
      if (isSealed[row] === 0 && died[row] === 0) this.#writer.carry(firstVersion + row);
    this.#writer.dropTable(table);
    this.#changes += 1;
  }

  #orDamage(change: () => void): () => void {
    return () => {
      try {
        change();
      } catch (error) {
        this.#damage = asError(error);
        throw error;
      }
    };
  }
}
