/** The tracer's contacts: live tables for what comes in, segments for what is older, and views of both for walks. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import type { Contact } from '../contact.js';
import type { Testimony } from '../testimony.js';
import { contactOfSides, sidesOfRow } from './live-contact.js';
import { takeColumns, takeTestimonies } from './live-intake.js';
import { SealedContacts } from './live-sealed.js';
import type { SealedSegment } from './live-sealed.js';
import type { LiveRows } from './live-table.js';
import { LiveWriter } from './live-writer.js';
import { PeopleDirectory } from './people.js';
import type { Segment } from './segment.js';
import type { ContactView, LiveTable, Place } from './view.js';

export interface ContactStoreSettings {
  /** Rows of a live table; 2^20 by default. */
  readonly tableRows?: number;
}

export interface ContactStatus {
  readonly contacts: number;
  /** Contacts that both sides reported. */
  readonly mutual: number;
  readonly people: number;
  /** Of the contacts, those in live tables. */
  readonly live: number;
  readonly liveBytes: number;
  readonly segments: number;
}

const TABLE_ROWS = 2 ** 20;
/** Contacts of columns that are taken before others on this thread have their turn. */
const BULK_AT_ONCE = 4096;

export class ContactStore {
  readonly #sealed = new SealedContacts();
  readonly #writer: LiveWriter;
  /** Whoever holds a view holds what its places stand for. */
  readonly #rowsOf = new WeakMap<LiveTable, LiveRows>();
  readonly #sealedOf = new WeakMap<Segment, SealedSegment>();
  #view: ContactView | undefined;
  #keepFrom = 0;

  constructor({ tableRows = TABLE_ROWS }: ContactStoreSettings = {}) {
    this.#writer = new LiveWriter(new PeopleDirectory(), this.#sealed, tableRows);
  }

  /**
   * Takes what was told; what is known already changes nothing. In views from the next one on. Throws `damaged` when sealed
   * evidence that a word belongs to cannot be read.
   */
  add(testimonies: readonly Testimony[]): void {
    takeTestimonies(
      this.#writer,
      testimonies.filter(({ end }) => end >= this.#keepFrom),
    );
  }

  /** Takes contacts that no ledger holds; others have their turns meanwhile. Throws as {@link add} does. */
  async addBulk(columns: ContactColumns): Promise<void> {
    for (let from = 0; from < columns.count; from += BULK_AT_ONCE) {
      takeColumns(this.#writer, columns, from, Math.min(from + BULK_AT_ONCE, columns.count), this.#keepFrom);
      await breathe();
    }
  }

  /** Forgets contacts that ended before this time, unix seconds, and takes none any more. It never goes back. */
  expireBefore(seconds: number): void {
    if (seconds <= this.#keepFrom) return;
    this.#keepFrom = seconds;
    this.#writer.expireBefore(seconds);
  }

  /** The contacts as they stand. */
  view(): ContactView {
    const { version, people, tables } = this.#writer;
    if (this.#view?.version === version) return this.#view;
    for (const rows of tables) this.#rowsOf.set(rows.table, rows);
    this.#view = {
      version,
      people: people.view(),
      segments: this.#sealed.list.map(({ segment }) => segment),
      live: tables.map(({ table }) => table),
      replaced: this.#sealed.replacedView(),
    };
    return this.#view;
  }

  /**
   * A contact of a view of this store in full, as it stood then. Throws `not-found` for a place that is not in the view,
   * `damaged` when its evidence cannot be read.
   */
  contactAt(view: ContactView, { table, isLive, at }: Place): Contact {
    const { people } = this.#writer;
    const tagOf = (person: number): number => people.tagOf(person);
    if (isLive) {
      const live = view.live.find(({ id }) => id === table);
      const rows = live && this.#rowsOf.get(live);
      if (live === undefined || rows === undefined) throw new RangeError('a live table of this view');
      const row = rows.read(live.firstVersion + at);
      return contactOfSides(row, sidesOfRow(row), tagOf);
    }
    const segment = view.segments.find(({ id }) => id === table);
    const sealed = segment && this.#sealedOf.get(segment);
    if (sealed === undefined) throw new RangeError('a segment of this view');
    const cold = sealed.contactAt(at);
    return contactOfSides(cold, cold.accounts, tagOf);
  }

  /** Start of the first and end of the last contact, unix seconds; undefined before there is one. */
  span(): { readonly from: number; readonly to: number } | undefined {
    const { tables } = this.#writer;
    const segments = this.#sealed.list.map(({ segment }) => segment);
    const from = Math.min(
      ...tables.map(({ firstStart }) => firstStart),
      ...segments.map(({ baseSeconds }) => baseSeconds),
    );
    const to = Math.max(
      ...tables.map(({ lastEnd }) => lastEnd),
      ...segments.map(({ lastSeconds }) => lastSeconds),
    );
    return to < from ? undefined : { from, to };
  }

  status(): ContactStatus {
    const { contacts, mutual, people, liveContacts: live, bytes: liveBytes } = this.#writer;
    return { contacts, mutual, people: people.count, live, liveBytes, segments: this.#sealed.list.length };
  }
}
