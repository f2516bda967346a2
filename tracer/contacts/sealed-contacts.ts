/** What the writer of live tables asks of sealed contacts: those of one pair, and which were replaced. */
import { DAY_SECONDS, EPOCH_SECONDS } from '../../protocol/time.js';
import { WordLog } from './word-log.js';
import type { ColdContact } from './cold-contact.js';
import { earliestStart } from './live-contact.js';
import type { Meeting } from './live-contact.js';
import type { Ends } from './live-settle.js';
import { ReplacedBook } from './replaced-book.js';
import type { ReplacedEntry } from './replaced-book.js';
import type { ReplacedKept } from './live-state.js';
import type { SealedSegment } from './sealed-segment.js';
import { findEntry, firstStartOf, ownerOf, rankOf } from './segment-search.js';
import {
  durationAt,
  firstFrom,
  isMutual,
  MAX_CONTACT_SECONDS,
  nearSecondsAt,
  rowEnd,
  rowLength,
  signalAt,
  startAt,
} from './segment.js';
import type { Segment } from './segment.js';
import { isReplaced } from './view.js';
import type { Replaced } from './view.js';

/** A sealed contact by its entry in the lower person's row. */
export interface SealedPlace {
  readonly sealed: SealedSegment;
  readonly entry: number;
}

/** A contact, known by whom it was between and when. */
export type MetOnce = Meeting & { readonly start: number };

interface ReplacedContact {
  readonly contact: ColdContact;
  readonly version: number;
}

const NEWEST = 2 ** 32 - 1;

export class SealedContacts {
  #segments: readonly SealedSegment[] = [];
  #replaced = new ReplacedBook();
  #replacements = new WordLog();
  #rebuilds = 0;
  /** Of segments that reach over the border of retention: where what is left of them begins. */
  #firstStart = new WeakMap<Segment, number>();
  #keepFrom = 0;

  get list(): readonly SealedSegment[] {
    return this.#segments;
  }

  /** Entries that were replaced, in the order they were: segment, entry, person in whose row it stands. */
  get replacements(): WordLog {
    return this.#replacements;
  }

  /** Goes up whenever {@link replacements} is begun anew. */
  get rebuilds(): number {
    return this.#rebuilds;
  }

  replacedView(): Replaced {
    return this.#replaced.view();
  }

  /** Sealed contacts that were not replaced. */
  get contacts(): number {
    return this.#segments.reduce((sum, { contacts }) => sum + contacts, 0);
  }

  get mutual(): number {
    return this.#segments.reduce((sum, { mutual }) => sum + mutual, 0);
  }

  /** Start of the first contact that is not past retention, unix seconds; Infinity before there is one. */
  get firstStart(): number {
    return Math.min(...this.#segments.map(({ segment }) => this.#firstStartOf(segment)));
  }

  /**
   * Contacts that ended before this are not known any more, unix seconds, although they lie in segments for a
   * while.
   */
  expireBefore(seconds: number): void {
    this.#keepFrom = seconds;
    this.#firstStart = new WeakMap();
  }

  add(sealed: SealedSegment): void {
    this.#segments = [...this.#segments, sealed];
  }

  /**
   * Lets segments go, and forgets which of their entries were replaced. Views handed out before keep what they
   * have.
   */
  remove(ids: readonly number[]): void {
    this.#segments = this.#segments.filter(({ segment }) => !ids.includes(segment.id));
    const kept = new Map(this.#segments.map(({ segment }) => [segment.id, segment]));
    const before = this.#replaced;
    this.#replaced = new ReplacedBook();
    this.#replacements = new WordLog();
    this.#rebuilds += 1;
    for (const known of before.entries()) {
      const segment = kept.get(known.segment);
      if (segment !== undefined) this.#note(known, ownerOf(segment, known.entry));
    }
  }

  /** As another run had it: entries that were replaced, each with the person in whose row it stands. */
  restore(replaced: readonly ReplacedKept[]): void {
    const byId = new Map(this.#segments.map((sealed) => [sealed.segment.id, sealed]));
    for (const { segment, entry, person } of replaced) {
      this.#note({ segment, entry, version: 0 }, person);
      const sealed = byId.get(segment);
      if (sealed === undefined) continue;
      sealed.contacts -= 0.5; // two entries a contact
      if (isMutual(signalAt(sealed.segment, entry))) sealed.mutual -= 0.5;
    }
  }

  /** Entries of a segment that were replaced. */
  replacedIn(id: number): ReplacedEntry[] {
    return [...this.#replaced.entries()].filter(({ segment }) => segment === id);
  }

  /** What was replaced in a segment beside these entries, each contact once. Throws what reading evidence does. */
  replacedSince(id: number, before: readonly ReplacedEntry[]): ReplacedContact[] {
    const known = new Set(before.map(({ entry }) => entry));
    const from = this.#segments.find(({ segment }) => segment.id === id);
    if (from === undefined) return [];
    return this.replacedIn(id)
      .filter(({ entry }) => !known.has(entry))
      .map(({ entry, version }) => ({ contact: from.contactAt(entry), entry, version }))
      .filter(({ contact, entry }) => from.segment.peer[entry] === contact.upper);
  }

  /**
   * Entries in the row of `lower` of contacts of the two that end after `endsAfter` and not after `until`, and
   * stand.
   */
  *ofPair(
    lower: number,
    upper: number,
    endsAfter: number,
    until: number,
  ): Generator<SealedPlace, void, undefined> {
    const after = Math.max(endsAfter, this.#keepFrom - 1);
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
   * nearSeconds of the pair's contacts that end less than 24 h before a contact of this epoch; −1 when that cannot
   * simply be added or changed: the pair has one that may be the same, since it begins in the time of this epoch
   * or later, or one in whose own 24 hours it lies, or lay.
   */
  sumBefore({ lower, upper, epoch }: Meeting, { end: until, first, last: lastEnd }: Ends): number {
    let sum = 0;
    const after = Math.max(until - DAY_SECONDS, this.#keepFrom - 1);
    const sameFrom = earliestStart(epoch);
    for (const { segment } of this.#segments) {
      if (segment.lastSeconds <= after || segment.baseSeconds > lastEnd + DAY_SECONDS) continue;
      // The shorter row of the two says the same.
      const [person, peer] =
        rowLength(segment, lower) <= rowLength(segment, upper) ? [lower, upper] : [upper, lower];
      const last = rowEnd(segment, person);
      for (let entry = firstFrom(segment, person, after - MAX_CONTACT_SECONDS); entry < last; entry++) {
        if (segment.peer[entry] !== peer) continue;
        const start = startAt(segment, entry);
        const end = start + durationAt(segment, entry);
        if (start >= lastEnd + DAY_SECONDS) break;
        if (end <= after || end >= lastEnd + DAY_SECONDS) continue;
        if (this.#replaced.isTouched(person) && this.#isReplaced(segment, entry)) continue;
        if (end >= first || start >= sameFrom) return -1;
        sum += nearSecondsAt(segment, entry);
      }
    }
    return sum;
  }

  /** The pair's contact of this epoch. Throws `damaged`. */
  find(lower: number, upper: number, epoch: number): SealedPlace | undefined {
    const from = earliestStart(epoch);
    for (const place of this.ofPair(lower, upper, from - 1, from + 3 * EPOCH_SECONDS + MAX_CONTACT_SECONDS)) {
      const { segment, contactAt } = place.sealed;
      const start = startAt(segment, place.entry);
      if (start < from || start >= from + 3 * EPOCH_SECONDS) continue;
      if (contactAt(place.entry).epoch === epoch) return place;
    }
    return undefined;
  }

  /** Where a contact stands in a segment, which need not be in place. Throws what reading evidence does. */
  placeOf(sealed: SealedSegment, { lower, upper, epoch, start }: MetOnce): SealedPlace | undefined {
    for (let rank = 0; ; rank++) {
      const entry = findEntry(sealed.segment, lower, upper, start, rank);
      if (entry === undefined) return undefined;
      if (sealed.contactAt(entry).epoch === epoch) return { sealed, entry };
    }
  }

  /** Notes that a live row took the contact's place. */
  replace({ sealed, entry }: SealedPlace, lower: number, upper: number, version: number): void {
    const { segment } = sealed;
    const twin = findEntry(segment, upper, lower, startAt(segment, entry), rankOf(segment, entry));
    if (twin === undefined) throw new RangeError('a contact stands in the rows of both people');
    this.#note({ segment: segment.id, entry, version }, lower);
    this.#note({ segment: segment.id, entry: twin, version }, upper);
    sealed.contacts -= 1;
    if (isMutual(signalAt(segment, entry))) sealed.mutual -= 1;
  }

  #note(replaced: ReplacedEntry, person: number): void {
    this.#replaced.add(replaced, person);
    this.#replacements.push([replaced.segment, replaced.entry, person]);
  }

  #firstStartOf(segment: Segment): number {
    const known = this.#firstStart.get(segment) ?? firstStartOf(segment, this.#keepFrom);
    this.#firstStart.set(segment, known);
    return known;
  }

  #isReplaced = (segment: Segment, entry: number): boolean =>
    isReplaced(this.#replaced.view(), segment.id, entry, NEWEST);
}
