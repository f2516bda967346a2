/** The contacts of two people in a view, and all contacts of it: for evidence and for listings, not for walks. */
import { endAt, firstEndingFrom, rowEnd, startAt } from './segment.js';
import type { Segment } from './segment.js';
import { isReplaced, isVisible } from './view.js';
import type { ContactView, LiveTable, Place } from './view.js';

/**
 * Where the contacts of two people (persons of the view) stand that end from `from` to `to`, inclusive, unix
 * seconds. In no order.
 */
export function contactsOfPair(
  view: ContactView,
  one: number,
  other: number,
  from: number,
  to: number,
): Place[] {
  const isAsked = (end: number): boolean => end >= from && end <= to;
  return [
    ...view.segments.flatMap((segment) => sealedOfPair(view, segment, one, other, from, to)),
    ...view.live.flatMap((table) =>
      [...liveRowsOf(view, table, one)]
        .filter(
          ({ row, peer }) => peer === other && isAsked((table.start[row] ?? 0) + (table.duration[row] ?? 0)),
        )
        .map(({ row }) => ({ table: table.id, isLive: true, at: row })),
    ),
  ];
}

/** A contact of somebody. */
export interface Met {
  readonly place: Place;
  /** Unix seconds, as its table holds them. */
  readonly start: number;
  readonly end: number;
  /** The other person. */
  readonly peer: number;
  /** nearSeconds of the two over the 24 hours up to its end, as far as a table counts: up to 65,535. */
  readonly nearInDay: number;
}

/** The contacts of one person of the view that overlap this time, both ends inclusive, unix seconds. In no order. */
export function* contactsOfPerson(
  view: ContactView,
  person: number,
  from: number,
  to: number,
): Generator<Met, void, undefined> {
  for (const segment of view.segments) {
    if (segment.lastSeconds < from || segment.baseSeconds > to) continue;
    for (const at of standingEntries(view, segment, person, from)) {
      const start = startAt(segment, at);
      if (start > to) break;
      yield {
        place: { table: segment.id, isLive: false, at },
        start,
        end: endAt(segment, at),
        peer: segment.peer[at] ?? 0,
        nearInDay: segment.nearInDay[at] ?? 0,
      };
    }
  }
  for (const table of view.live)
    for (const { row, peer } of liveRowsOf(view, table, person)) {
      const start = table.start[row] ?? 0;
      const end = start + (table.duration[row] ?? 0);
      if (start > to || end < from) continue;
      yield {
        place: { table: table.id, isLive: true, at: row },
        ...{ start, end },
        peer,
        nearInDay: table.nearInDay[row] ?? 0,
      };
    }
}

/** Whether there is any contact of the person in the view. */
export const hasContacts = (view: ContactView, person: number): boolean =>
  contactsOfPerson(view, person, 0, Infinity).next().done !== true;

/** Where all contacts of a view stand, each once. In no order. */
export function* placesOf(view: ContactView): Generator<Place, void, undefined> {
  for (const segment of view.segments) yield* sealedPlaces(view, segment);
  for (const table of view.live) {
    const rows = Math.min(table.start.length, view.version - table.firstVersion + 1);
    for (let at = 0; at < rows; at++)
      if (isVisible(table, at, view.version)) yield { table: table.id, isLive: true, at };
  }
}

function* sealedPlaces(view: ContactView, segment: Segment): Generator<Place, void, undefined> {
  for (let person = 0; person < segment.people; person++)
    for (const at of standingEntries(view, segment, person, 0))
      if (person < (segment.peer[at] ?? 0)) yield { table: segment.id, isLive: false, at };
}

function sealedOfPair(
  view: ContactView,
  segment: Segment,
  one: number,
  other: number,
  from: number,
  to: number,
): Place[] {
  if (segment.lastSeconds < from || segment.baseSeconds > to) return [];
  const places: Place[] = [];
  for (const at of standingEntries(view, segment, one, from)) {
    if (startAt(segment, at) > to) break;
    if (segment.peer[at] === other && endAt(segment, at) <= to)
      places.push({ table: segment.id, isLive: false, at });
  }
  return places;
}

/**
 * A person's entries that end at this time or later, are not past retention and were not replaced, in order of
 * start.
 */
function* standingEntries(
  { replaced, version, keepFrom }: ContactView,
  segment: Segment,
  person: number,
  from: number,
): Generator<number, void, undefined> {
  const isTouched = replaced.touched[person] === 1;
  const end = rowEnd(segment, person);
  const endsFrom = Math.max(from, keepFrom);
  for (let at = firstEndingFrom(segment, person, endsFrom); at < end; at++) {
    if (endAt(segment, at) < endsFrom) continue;
    if (!isTouched || !isReplaced(replaced, segment.id, at, version)) yield at;
  }
}

/** A person's rows of a live table that belong to the view, newest first, and who the other is. */
function* liveRowsOf(
  { version }: ContactView,
  table: LiveTable,
  person: number,
): Generator<{ readonly row: number; readonly peer: number }, void, undefined> {
  const { head, next, person: persons } = table;
  const newest = person < head.length ? Atomics.load(head, person) : 0;
  for (let link = newest - 1; link >= 0; link = (next[link] ?? 0) - 1) {
    const row = link >> 1;
    if (isVisible(table, row, version)) yield { row, peer: persons[link ^ 1] ?? 0 };
  }
}
