/**
 * The contacts of a view under one numbering: its segments first, then its live tables, then what presence gave. A contact
 * is a table and an entry (a row of a live table); this tells what stands there. Not for the loops over whole rows.
 */
import { durationAt, MAX_CONTACT_SECONDS, nearSecondsAt, signalAt, startAt } from '../contacts/segment.js';
import type { Segment } from '../contacts/segment.js';
import type { ContactView, LiveTable, Place } from '../contacts/view.js';
import { Copresences } from './copresences.js';
import { PRESENCE_SIGNAL } from './presence.js';

export const PRESENCE_TABLE = 0xffff;

/** A contact of a path: where it stands, or at which gateway (dense number) two people were at once. */
export type Spot =
  | { readonly kind: 'contact'; readonly place: Place }
  | { readonly kind: 'presence'; readonly gateway: number };

export class Tables {
  readonly segments: readonly Segment[];
  readonly live: readonly LiveTable[];
  /** Those that reached somebody in this walk. */
  readonly #copresences = new Copresences();

  constructor({ segments, live }: ContactView) {
    this.segments = segments;
    this.live = live;
  }

  /** The entry under which a co-presence is found until it is dropped. */
  addCopresence(start: number, end: number, gateway: number): number {
    return this.#copresences.add(start, end, gateway);
  }

  /** Nobody was reached by this co-presence, or another contact took its place. */
  dropCopresence(entry: number): void {
    this.#copresences.drop(entry);
  }

  startOf(table: number, entry: number): number {
    if (table === PRESENCE_TABLE) return this.#copresences.start[entry]!;
    const segment = this.segments[table];
    return segment ? startAt(segment, entry) : this.#live(table).start[entry]!;
  }

  endOf(table: number, entry: number): number {
    if (table === PRESENCE_TABLE) return this.#copresences.end[entry]!;
    const segment = this.segments[table];
    if (segment) return startAt(segment, entry) + durationAt(segment, entry);
    const live = this.#live(table);
    return live.start[entry]! + live.duration[entry]!;
  }

  /** Attenuation and mutual, as a segment has them. */
  signalOf(table: number, entry: number): number {
    if (table === PRESENCE_TABLE) return PRESENCE_SIGNAL;
    const segment = this.segments[table];
    return segment ? signalAt(segment, entry) : this.#live(table).signal[entry]!;
  }

  /** As a segment would hold it, where it is live. */
  nearOf(table: number, entry: number): number {
    if (table === PRESENCE_TABLE) return 0;
    const segment = this.segments[table];
    if (segment) return nearSecondsAt(segment, entry);
    const live = this.#live(table);
    return Math.min(live.immediate[entry]! + live.near[entry]!, MAX_CONTACT_SECONDS);
  }

  spotOf(table: number, entry: number): Spot {
    if (table === PRESENCE_TABLE) return { kind: 'presence', gateway: this.#copresences.gateway[entry]! };
    const segment = this.segments[table];
    const { id } = segment ?? this.#live(table);
    return { kind: 'contact', place: { table: id, isLive: segment === undefined, at: entry } };
  }

  #live(table: number): LiveTable {
    const live = this.live[table - this.segments.length];
    if (live === undefined) throw new RangeError('no table of this view');
    return live;
  }
}
