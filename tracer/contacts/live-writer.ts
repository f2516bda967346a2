/**
 * Adding contacts to live tables: merging what is told, keeping each pair's nearInDay right for what comes
 * late, and letting new versions take the place of old ones, live or sealed. One thread writes; what it wrote
 * is a view's from the next one on.
 */
import assert from 'node:assert/strict';
import { DAY_SECONDS } from '../../protocol/time.js';
import { nearSecondsOfRow, rowOfCold } from './live-contact.js';
import type { Meeting } from './live-contact.js';
import type { LiveRow } from './live-row.js';
import type { SealedContacts } from './sealed-contacts.js';
import { endsOf, knownAt, knownIn, settled } from './live-settle.js';
import type { Change, Ends, Known } from './live-settle.js';
import { rowsIn } from './live-state.js';
import type { RowsKept } from './live-state.js';
import { LiveRows } from './live-table.js';
import { appendWords } from './live-row-format.js';
import { PeopleSet } from './people-set.js';
import type { PeopleDirectory } from './people.js';
import { NO_ROW } from './rows-by-pair.js';
import type { Segment } from './segment.js';

/** No contact of an epoch that is further back ends within a day before one of this epoch. */
const FAR_EPOCHS = 104;
const LEAST_HEADS = 2 ** 16;
/** Contacts that go on in another table, when some of theirs expired: others on this thread wait meanwhile. */
export const MOST_MOVED = 2 ** 14;

export class LiveWriter {
  readonly people: PeopleDirectory;
  readonly sealed: SealedContacts;
  /** Of what is read ahead (pairs-ahead.ts), so that it is read. */
  touched = 0;
  readonly #rows: number;
  readonly #met = new PeopleSet();
  #tables: LiveRows[];
  #nextId = 1;

  /** `rows`: of a table; `firstVersion`: of its first row. */
  constructor(people: PeopleDirectory, sealed: SealedContacts, rows: number, firstVersion = 1) {
    this.people = people;
    this.sealed = sealed;
    this.#rows = rows;
    this.#tables = [this.#newTable(firstVersion, rows)];
  }

  /** Oldest first; the last is the one that is written to. */
  get tables(): readonly LiveRows[] {
    return this.#tables;
  }

  /** Version of what was added last. */
  get version(): number {
    return this.#current.nextVersion - 1;
  }

  /** Live and sealed, without those that were replaced. */
  get contacts(): number {
    return this.liveContacts + this.sealed.contacts;
  }

  get mutual(): number {
    return this.#tables.reduce((sum, { mutual }) => sum + mutual, this.sealed.mutual);
  }

  /** People who are in a contact, or were while the store was open. */
  get met(): number {
    return this.#met.count;
  }

  get liveContacts(): number {
    return this.#tables.reduce((sum, { contacts }) => sum + contacts, 0);
  }

  get bytes(): number {
    return this.#tables.reduce((sum, { bytes }) => sum + bytes, 0);
  }

  /**
   * The contact of two people, as persons, in this epoch. Throws `damaged` when it is sealed and its evidence
   * cannot be read.
   */
  known(lower: number, upper: number, epoch: number): Known | undefined {
    const live = this.knownLive(lower, upper, epoch);
    if (live) return live;
    const place = this.sealed.find(lower, upper, epoch);
    return place && knownAt(place);
  }

  /** As {@link known}, of those that are not sealed. */
  knownLive(lower: number, upper: number, epoch: number): Known | undefined {
    for (const table of this.#tables) {
      const row = table.pairs.find(lower, upper, epoch);
      if (row !== NO_ROW) return knownIn(table, row);
    }
    return undefined;
  }

  /** As it is told to a table. Throws `damaged`. */
  rowOf({ version, place, nearInDay }: Known): LiveRow {
    if (place) return rowOfCold(place.sealed.contactAt(place.entry), nearInDay);
    return this.#tableOf(version).read(version);
  }

  /**
   * A contact, new or in place of `old`, that changes no other of its pair, as the latest does not: the quick way
   * for many. Gives false, and adds nothing, when others may have to change with it, or when it may not be new.
   */
  append(row: LiveRow, old?: Known): boolean {
    const near = nearSecondsOfRow(row);
    const ends = endsOf(row, old);
    if (old?.end === ends.end && old.near === near) row.nearInDay = old.nearInDay;
    else if (old?.place) return false;
    else {
      const sealed = this.sealed.sumBefore(row, ends);
      const live = sealed < 0 ? -1 : this.#sumBefore(row, ends, old);
      if (live < 0) return false;
      row.nearInDay = sealed + live + near;
    }
    this.#put(row, old);
    return true;
  }

  /**
   * Changes a contact, and what it changes in others of the pair. Throws `damaged`, and has changed nothing
   * then.
   */
  settle(change: Change): void {
    const { lower, upper } = change.row;
    const { first, last } = endsOf(change.row, change.old);
    const others = this.#ofPair(lower, upper, first - DAY_SECONDS, last + DAY_SECONDS);
    const writes = settled(others, change).map(({ known, row, nearInDay }) => {
      if (row) return () => this.#put({ ...row, nearInDay }, known);
      return this.#rewriting(known, nearInDay);
    });
    for (const write of writes) write();
  }

  /**
   * Begins a new table, in place of the last one where that is empty. Throws when there is no memory for it, and has
   * changed nothing then.
   */
  rotate(rows = this.#rows): void {
    const current = this.#current;
    const next = this.#newTable(current.nextVersion, rows);
    current.close();
    if (current.count === 0) this.#tables.pop();
    this.#tables.push(next);
  }

  /**
   * A table of another life (live-state.ts), with the same number and each row in its place, so that what is
   * kept of it goes on to hold; nothing is settled. Oldest first, before anything is added. Gives what
   * {@link rowsIn} does. Throws `format`.
   */
  restore(id: number, words: Uint32Array): RowsKept {
    const kept = rowsIn(words);
    const { rows } = kept;
    this.#nextId = id;
    this.rotate(Math.max(rows.length, this.#rows));
    for (const at of rows) {
      if (at < 0) this.#current.appendBlank();
      else appendWords(this.#current, words, at);
    }
    for (const at of rows)
      for (const person of at < 0 ? [] : [words[at]!, words[at + 1]!]) this.#met.add(person);
    return kept;
  }

  /** Counts the people of a segment that was found. */
  noteSegment({ rows, people }: Segment): void {
    for (let person = 0; person < people; person++)
      if (rows[person] !== rows[person + 1]) this.#met.add(person);
  }

  /** The same contact as a row of the table that is written to. */
  carry(version: number): void {
    this.#copy(version, this.#tableOf(version).nearInDayOf(version));
  }

  /** Lets a table go: what is alive in it is sealed. */
  dropTable(table: LiveRows): void {
    this.#tables = this.#tables.filter((other) => other !== table);
  }

  /**
   * Ends contacts that ended before this time, unix seconds. Views handed out before keep them, and with them
   * their tables: what is left in those goes on in another, where it is not much, so that their memory goes
   * with the last of these views.
   */
  expireBefore(seconds: number): void {
    this.sealed.expireBefore(seconds);
    this.#endBefore(seconds);
    const left = this.#tables.filter(
      ({ earliest, contacts }) => earliest < seconds && contacts <= MOST_MOVED,
    );
    if (left.includes(this.#current)) this.rotate();
    for (const table of left) {
      for (const version of [...table.alive()]) this.carry(version);
      this.dropTable(table);
    }
  }

  #endBefore(seconds: number): void {
    const expired = this.#tables
      .filter(({ firstStart }) => firstStart < seconds)
      .flatMap((table) => [...table.alive()].filter((version) => table.endOf(version) < seconds));
    if (expired.length === 0) return;
    if (this.#current.isFull) this.rotate();
    const now = this.#current.appendBlank();
    for (const version of expired) this.#tableOf(version).kill(version, now);
    for (const table of this.#tables) table.measure();
  }

  get #current(): LiveRows {
    const current = this.#tables.at(-1);
    assert(current, 'there is always a table to write to');
    return current;
  }

  /** Reads what it takes to write the contact again with this sum, and gives what writes it. Throws `damaged`. */
  #rewriting(known: Known, nearInDay: number): () => void {
    if (known.place === undefined) return () => this.#copy(known.version, nearInDay);
    const row = { ...this.rowOf(known), nearInDay };
    return () => this.#put(row, known);
  }

  /** A live contact again, with this sum. */
  #copy(old: number, nearInDay: number): void {
    const table = this.#tableOf(old);
    const [lower, upper] = table.meetingOf(old);
    const version = this.#tableFor({ lower, upper }).appendCopy(table, old, nearInDay);
    table.kill(old, version);
  }

  #put(row: LiveRow, old: Known | undefined): void {
    const { lower, upper } = row;
    const version = this.#tableFor(row).append(row);
    if (old?.place) this.sealed.replace(old.place, lower, upper, version);
    else if (old) this.#tableOf(old.version).kill(old.version, version);
    this.#met.add(lower);
    this.#met.add(upper);
  }

  /** As {@link SealedContacts.sumBefore}, of live ones but for `old`. */
  #sumBefore({ lower, upper, epoch }: Meeting, ends: Ends, old: Known | undefined): number {
    const { first, last, end: until } = ends;
    let sum = 0;
    for (let k = this.#tables.length - 1; k >= 0; k--) {
      const { table, pairs } = this.#tables[k]!;
      for (let row = pairs.first(lower, upper); row !== NO_ROW; row = pairs.next(row)) {
        const rowEpoch = pairs.epoch(row);
        if (rowEpoch < epoch - FAR_EPOCHS) break;
        if (table.firstVersion + row === old?.version) continue;
        const end = pairs.end(row);
        if (rowEpoch === epoch || (end >= first && end < last + DAY_SECONDS)) return -1;
        if (end < first && end > until - DAY_SECONDS) sum += pairs.near(row);
      }
    }
    return sum;
  }

  /** The pair's contacts that end after `after` and not after `until`. */
  #ofPair(lower: number, upper: number, after: number, until: number): Known[] {
    const found: Known[] = [];
    for (const table of this.#tables) {
      const { pairs } = table;
      for (let row = pairs.first(lower, upper); row !== NO_ROW; row = pairs.next(row)) {
        const end = pairs.end(row);
        if (end > after && end <= until) found.push(knownIn(table, row));
      }
    }
    for (const place of this.sealed.ofPair(lower, upper, after, until)) found.push(knownAt(place));
    return found;
  }

  #tableFor({ lower, upper }: Pick<LiveRow, 'lower' | 'upper'>): LiveRows {
    const current = this.#current;
    if (!current.isFull && current.hasPerson(lower) && current.hasPerson(upper)) return current;
    this.rotate();
    return this.#current;
  }

  #tableOf(version: number): LiveRows {
    for (let k = this.#tables.length - 1; k >= 0; k--) {
      const table = this.#tables[k];
      if (table?.hasVersion(version)) return table;
    }
    throw new RangeError('a version of a live contact');
  }

  #newTable(firstVersion: number, rows: number): LiveRows {
    const people = 2 ** Math.ceil(Math.log2(Math.max(LEAST_HEADS, 2 * this.people.count)));
    return new LiveRows({ id: this.#nextId++, firstVersion, rows, people });
  }
}
