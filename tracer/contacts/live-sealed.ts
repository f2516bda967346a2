/** What the writer of live tables asks of sealed contacts: those of one pair, and which were replaced. */
import { EPOCH_SECONDS } from '../../protocol/time.js';
import type { ColdContact } from './cold-contact.js';
import { ReplacedBook } from './live-replaced.js';
import { findEntry, rankOf } from './segment-search.js';
import { durationAt, firstFrom, MAX_CONTACT_SECONDS, nearSecondsAt, rowEnd, startAt } from './segment.js';
import type { Segment } from './segment.js';
import { isReplaced } from './view.js';
import type { Replaced } from './view.js';

/** A segment and what its contacts rest on. */
export interface SealedSegment {
  readonly segment: Segment;
  /** Throws `damaged` when the evidence is. */
  readonly contactAt: (entry: number) => ColdContact;
}

/** A sealed contact by its entry in the lower person's row. */
export interface SealedPlace {
  readonly sealed: SealedSegment;
  readonly entry: number;
}

const NEWEST = 2 ** 32 - 1;

export class SealedContacts {
  #segments: readonly SealedSegment[] = [];
  #replaced = new ReplacedBook();

  get list(): readonly SealedSegment[] {
    return this.#segments;
  }

  get replaced(): ReplacedBook {
    return this.#replaced;
  }

  replacedView(): Replaced {
    return this.#replaced.view();
  }

  /** With the replaced entries of those that stay. */
  setSegments(segments: readonly SealedSegment[]): void {
    this.#segments = segments;
  }

  /** Forgets which entries of other segments than these were replaced. Views handed out before keep their book. */
  forgetReplacedBut(segments: ReadonlyMap<number, Segment>, ownerOf: (s: Segment, entry: number) => number): void {
    const book = new ReplacedBook();
    for (const known of this.#replaced.entries()) {
      const segment = segments.get(known.segment);
      if (segment !== undefined) book.add(known, ownerOf(segment, known.entry));
    }
    this.#replaced = book;
  }

  /** Entries in the row of `lower` of contacts of the two that end after `after` and not after `until`, and stand. */
  *ofPair(lower: number, upper: number, after: number, until: number): Generator<SealedPlace, void, undefined> {
    for (const sealed of this.#segments) {
      const { segment } = sealed;
      if (segment.lastSeconds <= after || segment.baseSeconds > until) continue;
      const last = rowEnd(segment, lower);
      const isTouched = this.#replaced.isTouched(lower);
      for (let entry = firstFrom(segment, lower, after - MAX_CONTACT_SECONDS); entry < last; entry++) {
        const start = startAt(segment, entry);
        if (start > until) break;
        if (segment.peer[entry] !== upper) continue;
        const end = start + durationAt(segment, entry);
        if (end <= after || end > until) continue;
        if (isTouched && this.#isReplaced(segment, entry)) continue;
        yield { sealed, entry };
      }
    }
  }

  /**
   * nearSeconds of the pair's contacts that end after `after` and not after `until`; −1 when it has one that begins in the
   * time of this epoch, so that it may be the same contact, or ends at `until` or within the day after it.
   */
  sumBefore(lower: number, upper: number, epoch: number, until: number, daySeconds: number): number {
    let sum = 0;
    const after = until - daySeconds;
    const sameFrom = (epoch - 1) * EPOCH_SECONDS;
    for (const { segment } of this.#segments) {
      if (segment.lastSeconds <= after || segment.baseSeconds > until + daySeconds) continue;
      // The shorter row of the two says the same.
      const [person, peer] =
        rowLength(segment, lower) <= rowLength(segment, upper) ? [lower, upper] : [upper, lower];
      const last = rowEnd(segment, person);
      for (let entry = firstFrom(segment, person, after - MAX_CONTACT_SECONDS); entry < last; entry++) {
        if (segment.peer[entry] !== peer) continue;
        const start = startAt(segment, entry);
        const end = start + durationAt(segment, entry);
        if (start >= until + daySeconds) break;
        if (end <= after || end >= until + daySeconds) continue;
        if (this.#replaced.isTouched(person) && this.#isReplaced(segment, entry)) continue;
        if (end >= until || start >= sameFrom) return -1;
        sum += nearSecondsAt(segment, entry);
      }
    }
    return sum;
  }

  /** The pair's contact of this epoch. Throws `damaged`. */
  find(lower: number, upper: number, epoch: number): SealedPlace | undefined {
    const from = (epoch - 1) * EPOCH_SECONDS;
    for (const place of this.ofPair(lower, upper, from - 1, from + 3 * EPOCH_SECONDS + MAX_CONTACT_SECONDS)) {
      const { segment, contactAt } = place.sealed;
      const start = startAt(segment, place.entry);
      if (start < from || start >= from + 3 * EPOCH_SECONDS) continue;
      if (contactAt(place.entry).epoch === epoch) return place;
    }
    return undefined;
  }

  /** Notes that a live row took the contact's place. */
  replace({ sealed: { segment }, entry }: SealedPlace, lower: number, upper: number, version: number): void {
    const twin = findEntry(segment, upper, lower, startAt(segment, entry), rankOf(segment, entry));
    this.#replaced.add({ segment: segment.id, entry, version }, lower);
    if (twin === undefined) throw new RangeError('a contact stands in the rows of both people');
    this.#replaced.add({ segment: segment.id, entry: twin, version }, upper);
  }

  #isReplaced = (segment: Segment, entry: number): boolean =>
    isReplaced(this.#replaced.view(), segment.id, entry, NEWEST);
}

const rowLength = ({ rows, people }: Segment, person: number): number =>
  person >= people ? 0 : (rows[person + 1] ?? 0) - (rows[person] ?? 0);
