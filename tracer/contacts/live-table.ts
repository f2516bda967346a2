/**
 * Writing a live table (view.ts): rows in shared memory that walks in other threads read while more are added,
 * and beside them, for the writer alone, what a walk does not need. The memory is taken for all rows at once;
 * what no row was written to costs nothing, since the system hands out a page when it is first touched.
 *
 * A reader may come upon a row that is being written: it is newer than its view, which it sees by the row's
 * number alone, and the link to older rows is stored before the head that leads to it.
 */
import assert from 'node:assert/strict';
import { AccountArena } from './live-accounts.js';
import { earliestStart, nearSecondsOfRow } from './live-contact.js';
import type { Meeting } from './live-contact.js';
import type { LiveRow } from './live-row.js';
import { sharedUint16, sharedUint32, sharedUint8 } from './live-memory.js';
import { newTable } from './live-shape.js';
import type { LiveShape } from './live-shape.js';
import { RowsByPair } from './rows-by-pair.js';
import type { PairSums } from './rows-by-pair.js';
import { attenuationOf, isMutual, MAX_CONTACT_SECONDS, packSignal, saturated, weightOf } from './segment.js';
import type { LiveTable } from './view.js';

export const PARTIAL = 1;
/** Bytes a row takes in a {@link LiveTable}, in {@link RowsBeside}, and in {@link RowsByPair} with one of its slots. */
const ROW_BYTES = 37 + 11 + 40;
const COPIED = ['duration', 'signal', 'immediate', 'near', 'medium', 'weight'] as const;

/** By row: of the contact, and where in the arena what both sides told begins, 0 for a contact that no ledger holds. */
interface RowsBeside {
  readonly epoch: Uint32Array;
  readonly other: Uint16Array;
  readonly flags: Uint8Array;
  readonly accounts: Uint32Array;
}

export class LiveRows {
  readonly table: LiveTable;
  /** Its rows that are alive. */
  readonly pairs: RowsByPair;
  /** Rows that died, in the order they did. */
  readonly deaths: number[] = [];
  readonly #rows: number;
  /** What a walk does not need. */
  readonly beside: RowsBeside;
  readonly #arena = new AccountArena();
  #count = 0;
  #alive = 0;
  #mutual = 0;
  #firstStart = Infinity;
  #lastEnd = -Infinity;
  #earliest = Infinity;

  constructor(shape: LiveShape) {
    this.table = newTable(shape);
    this.pairs = new RowsByPair(shape.rows);
    this.#rows = shape.rows;
    this.beside = {
      epoch: sharedUint32(shape.rows),
      other: sharedUint16(shape.rows),
      flags: sharedUint8(shape.rows),
      accounts: sharedUint32(shape.rows),
    };
  }

  /** Rows, those that died among them. */
  get count(): number {
    return this.#count;
  }

  /** Contacts: rows that are alive. */
  get contacts(): number {
    return this.#alive;
  }

  /** Of the contacts, those that both sides reported. */
  get mutual(): number {
    return this.#mutual;
  }

  get isFull(): boolean {
    return this.#count === this.#rows;
  }

  /** Version that the next row has. */
  get nextVersion(): number {
    return this.table.firstVersion + this.#count;
  }

  /** Start of the first contact that was ever in it, unix seconds; Infinity before there is one. */
  get firstStart(): number {
    return this.#firstStart;
  }

  /** End of the last one; −Infinity before there is one. */
  get lastEnd(): number {
    return this.#lastEnd;
  }

  /** {@link earliestStart} of the rows that were ever in it, unix seconds; Infinity before there is one. */
  get earliest(): number {
    return this.#earliest;
  }

  /** Bytes of the rows that were written, and of what they rest on. */
  get bytes(): number {
    return this.#count * ROW_BYTES + this.#arena.bytes;
  }

  hasPerson(person: number): boolean {
    return person < this.table.head.length;
  }

  hasVersion(version: number): boolean {
    return version >= this.table.firstVersion && version < this.nextVersion;
  }

  /** The version it got. The table is not full and has both persons. */
  append(row: LiveRow): number {
    const at = this.#begin(row);
    const { table } = this;
    table.immediate[at] = saturated(row.immediate);
    table.near[at] = saturated(row.near);
    table.medium[at] = saturated(row.medium);
    table.duration[at] = Math.min(row.duration, MAX_CONTACT_SECONDS);
    table.signal[at] = packSignal(row.attenuationDb, row.mutual);
    table.weight[at] = weightOf(row.immediate, row.near, row.medium, row.mutual);
    this.beside.epoch[at] = row.epoch;
    this.beside.other[at] = saturated(row.other);
    this.beside.flags[at] = row.partial ? PARTIAL : 0;
    this.beside.accounts[at] = row.sides === undefined ? 0 : this.#arena.put(row.sides);
    const nearInDay = saturated(row.nearInDay);
    this.#enter(at, row, { end: row.start + row.duration, near: nearSecondsOfRow(row), nearInDay });
    return this.#publish(at);
  }

  /** The same contact as a row of this version of a table, with this nearInDay. */
  appendCopy(from: LiveRows, version: number, nearInDay: number): number {
    const source = version - from.table.firstVersion;
    const [lower, upper, epoch] = from.meetingOf(version);
    const at = this.#begin({ lower, upper, start: from.startOf(version), nearInDay });
    const { table } = this;
    for (const column of COPIED) table[column][at] = from.table[column][source] ?? 0;
    this.beside.epoch[at] = epoch;
    this.beside.other[at] = from.beside.other[source] ?? 0;
    this.beside.flags[at] = from.beside.flags[source] ?? 0;
    const accounts = from.beside.accounts[source] ?? 0;
    this.beside.accounts[at] =
      accounts === 0 || from === this ? accounts : this.#arena.copy(from.#arena, accounts);
    const [end, near] = [from.pairs.end(source), from.pairs.near(source)];
    this.#enter(at, { lower, upper, epoch }, { end, near, nearInDay: saturated(nearInDay) });
    return this.#publish(at);
  }

  /**
   * The words of the accounts that the row rests on, none for a contact that no ledger holds; good until the
   * next is added.
   */
  accountsOf(row: number): ArrayLike<number> {
    return this.#arena.block(this.beside.accounts[row]!);
  }

  /** As {@link append}, of a contact whose accounts are given as these words. */
  appendWith(row: LiveRow, accounts: Uint32Array): number {
    const version = this.append(row);
    if (accounts.length > 0)
      this.beside.accounts[version - this.table.firstVersion] = this.#arena.putBlock(accounts);
    return version;
  }

  /** A row that is no contact and belongs to no view: a version at which others may die. */
  appendBlank(): number {
    const version = this.nextVersion;
    this.table.died[this.#count++] = version;
    return version;
  }

  /**
   * No more rows: those that were not written to are no contacts, although the versions they would have had go
   * to other tables.
   */
  close(): void {
    this.table.died.fill(this.table.firstVersion, this.#count);
  }

  /** The row, as it was told, of this version. */
  read(version: number): LiveRow {
    const at = version - this.table.firstVersion;
    assert(at >= 0 && at < this.#count, 'a version of this table');
    const { table } = this;
    const signal = table.signal[at] ?? 0;
    const accounts = this.beside.accounts[at] ?? 0;
    return {
      lower: table.person[2 * at] ?? 0,
      upper: table.person[2 * at + 1] ?? 0,
      epoch: this.beside.epoch[at] ?? 0,
      start: table.start[at] ?? 0,
      duration: table.duration[at] ?? 0,
      immediate: table.immediate[at] ?? 0,
      near: table.near[at] ?? 0,
      medium: table.medium[at] ?? 0,
      other: this.beside.other[at] ?? 0,
      attenuationDb: attenuationOf(signal),
      mutual: isMutual(signal),
      partial: this.beside.flags[at] === PARTIAL,
      nearInDay: table.nearInDay[at] ?? 0,
      sides: accounts === 0 ? undefined : this.#arena.get(accounts),
    };
  }

  startOf(version: number): number {
    return this.table.start[version - this.table.firstVersion] ?? 0;
  }

  endOf(version: number): number {
    return this.startOf(version) + (this.table.duration[version - this.table.firstVersion] ?? 0);
  }

  /** The two persons, the lower first, and the epoch. */
  meetingOf(version: number): readonly [lower: number, upper: number, epoch: number] {
    const row = version - this.table.firstVersion;
    return [
      this.table.person[2 * row] ?? 0,
      this.table.person[2 * row + 1] ?? 0,
      this.beside.epoch[row] ?? 0,
    ];
  }

  nearInDayOf(version: number): number {
    return this.table.nearInDay[version - this.table.firstVersion] ?? 0;
  }

  /** The seconds that count for nearInDay, as a segment would have them. */
  nearSecondsOf(version: number): number {
    const row = version - this.table.firstVersion;
    return Math.min((this.table.immediate[row] ?? 0) + (this.table.near[row] ?? 0), MAX_CONTACT_SECONDS);
  }

  /** Sets first start and last end anew, by the rows that are alive. */
  measure(): void {
    [this.#firstStart, this.#lastEnd] = [Infinity, -Infinity];
    for (const version of this.alive()) {
      this.#firstStart = Math.min(this.#firstStart, this.startOf(version));
      this.#lastEnd = Math.max(this.#lastEnd, this.endOf(version));
    }
  }

  /** Ends a contact. */
  kill(version: number, by: number): void {
    const row = version - this.table.firstVersion;
    this.table.died[row] = by;
    this.deaths.push(row);
    this.pairs.kill(row);
    this.#alive -= 1;
    if (isMutual(this.table.signal[row] ?? 0)) this.#mutual -= 1;
  }

  /** Versions of the rows that are alive, in order. */
  *alive(): Generator<number, void, undefined> {
    for (let at = 0; at < this.#count; at++)
      if (this.table.died[at] === 0) yield this.table.firstVersion + at;
  }

  #begin({
    lower,
    upper,
    start,
    nearInDay,
  }: Pick<LiveRow, 'lower' | 'upper' | 'start' | 'nearInDay'>): number {
    assert(!this.isFull && this.hasPerson(lower) && this.hasPerson(upper), 'a table with room for the row');
    const { person, start: starts, nearInDay: sums } = this.table;
    const at = this.#count;
    person[2 * at] = lower;
    person[2 * at + 1] = upper;
    starts[at] = start;
    sums[at] = saturated(nearInDay);
    return at;
  }

  /** Into what is known of all rows and of the pair. */
  #enter(at: number, meeting: Meeting, sums: PairSums): void {
    this.pairs.insert(at, meeting, sums);
    this.#firstStart = Math.min(this.#firstStart, this.table.start[at]!);
    this.#lastEnd = Math.max(this.#lastEnd, sums.end);
    this.#earliest = Math.min(this.#earliest, earliestStart(meeting.epoch));
    this.#alive += 1;
    if (isMutual(this.table.signal[at]!)) this.#mutual += 1;
  }

  /** Links the row, which is whole, into both people's lists. */
  #publish(at: number): number {
    const { head, next, person, firstVersion } = this.table;
    for (let link = 2 * at; link <= 2 * at + 1; link++) {
      const who = person[link] ?? 0;
      next[link] = head[who] ?? 0;
      Atomics.store(head, who, link + 1);
    }
    this.#count += 1;
    return firstVersion + at;
  }
}
