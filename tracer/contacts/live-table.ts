/**
 * Writing a live table (view.ts): rows in shared memory that walks in other threads read while more are added, and beside
 * them, for the writer alone, what a walk does not need. The memory is taken for all rows at once; what no row
 * was written to costs nothing, since the system hands out a page when it is first touched.
 *
 * A reader may come upon a row that is being written: it is newer than its view, which it sees by the row's number alone,
 * and the link to older rows is stored before the head that leads to it.
 */
import assert from 'node:assert/strict';
import { AccountArena } from './live-accounts.js';
import type { Sides } from './live-merge.js';
import { attenuationOf, isMutual, MAX_CONTACT_SECONDS, packSignal, saturated } from './segment.js';
import type { LiveTable } from './view.js';

/** A contact as it is told to a table. Seconds; persons. */
export interface LiveRow {
  lower: number;
  upper: number;
  epoch: number;
  start: number;
  duration: number;
  immediate: number;
  near: number;
  medium: number;
  other: number;
  attenuationDb: number;
  mutual: boolean;
  partial: boolean;
  nearInDay: number;
  /** Absent for a contact of which no more is known than stands in the row, in the epoch its start lies in. */
  sides: Sides | undefined;
}

const PARTIAL = 1;

export interface LiveShape {
  readonly id: number;
  /** Version of the first row. */
  readonly firstVersion: number;
  readonly rows: number;
  /** Persons below this number have a head. */
  readonly people: number;
}

export class LiveRows {
  readonly table: LiveTable;
  readonly #rows: number;
  readonly #epoch: Uint32Array;
  readonly #other: Uint16Array;
  readonly #flags: Uint8Array;
  readonly #accounts: Uint32Array;
  readonly #arena = new AccountArena();
  #count = 0;
  #firstStart = Infinity;
  #lastEnd = -Infinity;

  constructor(shape: LiveShape) {
    this.table = newTable(shape);
    this.#rows = shape.rows;
    this.#epoch = new Uint32Array(shape.rows);
    this.#other = new Uint16Array(shape.rows);
    this.#flags = new Uint8Array(shape.rows);
    this.#accounts = new Uint32Array(shape.rows);
  }

  /** Rows, those that died among them. */
  get count(): number {
    return this.#count;
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

  /** Bytes of the rows that were written, and of what they rest on. */
  get bytes(): number {
    return this.#count * (37 + 11) + this.#arena.bytes;
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
    table.weight[at] = weightOf(row);
    this.#epoch[at] = row.epoch;
    this.#other[at] = saturated(row.other);
    this.#flags[at] = row.partial ? PARTIAL : 0;
    this.#accounts[at] = row.sides === undefined ? 0 : this.#arena.put(row.sides);
    this.#firstStart = Math.min(this.#firstStart, row.start);
    this.#lastEnd = Math.max(this.#lastEnd, row.start + row.duration);
    return this.#publish(at);
  }

  /** A row that is no contact and belongs to no view: a version at which others may die. */
  appendBlank(): number {
    const version = this.nextVersion;
    this.table.died[this.#count++] = version;
    return version;
  }

  /** No more rows: those that were not written to are no contacts, although the versions they would have had go to other tables. */
  close(): void {
    this.table.died.fill(this.table.firstVersion, this.#count);
  }

  /** The row, as it was told, of this version. */
  read(version: number): LiveRow {
    const at = version - this.table.firstVersion;
    assert(at >= 0 && at < this.#count, 'a version of this table');
    const { table } = this;
    const signal = table.signal[at] ?? 0;
    const accounts = this.#accounts[at] ?? 0;
    return {
      lower: table.person[2 * at] ?? 0,
      upper: table.person[2 * at + 1] ?? 0,
      epoch: this.#epoch[at] ?? 0,
      start: table.start[at] ?? 0,
      duration: table.duration[at] ?? 0,
      immediate: table.immediate[at] ?? 0,
      near: table.near[at] ?? 0,
      medium: table.medium[at] ?? 0,
      other: this.#other[at] ?? 0,
      attenuationDb: attenuationOf(signal),
      mutual: isMutual(signal),
      partial: this.#flags[at] === PARTIAL,
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

  /** Sets first start and last end anew, by the rows that are alive. */
  measure(): void {
    [this.#firstStart, this.#lastEnd] = [Infinity, -Infinity];
    for (const version of this.alive()) {
      this.#firstStart = Math.min(this.#firstStart, this.startOf(version));
      this.#lastEnd = Math.max(this.#lastEnd, this.endOf(version));
    }
  }

  isMutual(version: number): boolean {
    return isMutual(this.table.signal[version - this.table.firstVersion] ?? 0);
  }

  /** When the row died, 0 for one that is alive. */
  diedAt(version: number): number {
    return this.table.died[version - this.table.firstVersion] ?? 0;
  }

  kill(version: number, by: number): void {
    this.table.died[version - this.table.firstVersion] = by;
  }

  /** Versions of the rows that are alive, in order. */
  *alive(): Generator<number, void, undefined> {
    for (let at = 0; at < this.#count; at++)
      if (this.table.died[at] === 0) yield this.table.firstVersion + at;
  }

  #begin({ lower, upper, start, nearInDay }: LiveRow): number {
    assert(!this.isFull && this.hasPerson(lower) && this.hasPerson(upper), 'a table with room for the row');
    const { person, start: starts, nearInDay: sums } = this.table;
    const at = this.#count;
    person[2 * at] = lower;
    person[2 * at + 1] = upper;
    starts[at] = start;
    sums[at] = saturated(nearInDay);
    return at;
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

/** W of the score in twentieths of a second (tracing.md, "Score"). */
function weightOf({ immediate, near, medium, mutual }: LiveRow): number {
  return saturated((10 * immediate + 8 * near + 3 * medium) * (mutual ? 2 : 1));
}

function newTable({ id, firstVersion, rows, people }: LiveShape): LiveTable {
  return {
    id,
    firstVersion,
    head: new Int32Array(new SharedArrayBuffer(4 * people)),
    next: new Int32Array(new SharedArrayBuffer(8 * rows)),
    person: new Uint32Array(new SharedArrayBuffer(8 * rows)),
    start: new Uint32Array(new SharedArrayBuffer(4 * rows)),
    duration: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    signal: new Uint8Array(new SharedArrayBuffer(rows)),
    immediate: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    near: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    medium: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    nearInDay: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    weight: new Uint16Array(new SharedArrayBuffer(2 * rows)),
    died: new Uint32Array(new SharedArrayBuffer(4 * rows)),
  };
}
