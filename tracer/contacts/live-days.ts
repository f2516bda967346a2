/** A closed live table, gathered by days for sealing. */
import { setImmediate as breathe } from 'node:timers/promises';
import { asEpoch } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import { encodeDetails } from './cold-contact.js';
import type { LiveRows } from './live-table.js';
import { firstOf, newColumns } from './to-seal.js';
import type { ToSeal } from './to-seal.js';

export interface DayToSeal {
  readonly contacts: ToSeal;
  /** Of the rows that were taken, in their order. */
  readonly versions: Float64Array;
}

/** Rows that are gathered before others on this thread have their turn. */
const ROWS_AT_ONCE = 16_384;

/**
 * The contacts of a table that stand now and begin before `beforeDay`, by the day they begin in, for days with at least
 * `least` of them.
 */
export async function gatherDays(rows: LiveRows, beforeDay: number, least: number): Promise<DayToSeal[]> {
  const counts = new Map<number, number>();
  let counted = 0;
  for (const version of rows.alive()) {
    const day = dayOf(rows.startOf(version));
    counts.set(day, (counts.get(day) ?? 0) + 1);
    if (++counted % ROWS_AT_ONCE === 0) await breathe();
  }
  const days = new Map<number, GatheredDay>();
  for (const [day, count] of counts)
    if (day < beforeDay && count >= least) days.set(day, new GatheredDay(count));
  let taken = 0;
  for (const version of rows.alive()) {
    const day = days.get(dayOf(rows.startOf(version)));
    if (day === undefined) continue;
    day.take(rows, version);
    if (++taken % ROWS_AT_ONCE === 0) await breathe();
  }
  return [...days.values()].flatMap((day) => day.finish());
}

/** Columns in shared memory, for as many contacts as the day had at first: some may have died since. */
class GatheredDay {
  readonly #columns;
  readonly #versions: Float64Array;
  #count = 0;
  #details = new Uint8Array(new SharedArrayBuffer(4096));
  #detailBytes = 0;

  constructor(count: number) {
    this.#columns = newColumns(count);
    this.#versions = new Float64Array(count);
  }

  take(rows: LiveRows, version: number): void {
    const row = rows.read(version);
    const { lower, upper, start, duration, signal, nearInDay, weight, near, buckets, partial } =
      this.#columns;
    const at = this.#count++;
    const live = version - rows.table.firstVersion;
    this.#versions[at] = version;
    lower[at] = row.lower;
    upper[at] = row.upper;
    start[at] = row.start;
    duration[at] = row.duration;
    near[at] = rows.nearSecondsOf(version);
    signal[at] = rows.table.signal[live] ?? 0;
    weight[at] = rows.table.weight[live] ?? 0;
    nearInDay[at] = row.nearInDay;
    buckets[4 * at] = row.immediate;
    buckets[4 * at + 1] = row.near;
    buckets[4 * at + 2] = row.medium;
    buckets[4 * at + 3] = row.other;
    partial[at] = row.partial ? 1 : 0;
    this.#addDetails(row.sides ? encodeDetails(asEpoch(row.epoch), row.sides) : NO_DETAILS);
  }

  finish(): DayToSeal[] {
    const count = this.#count;
    if (count === 0) return [];
    const contacts = firstOf(this.#columns, count, this.#details.subarray(0, this.#detailBytes));
    return [{ contacts, versions: this.#versions.subarray(0, count) }];
  }

  /** length u32, little-endian | bytes */
  #addDetails(bytes: Uint8Array): void {
    const [at, end] = [this.#detailBytes, this.#detailBytes + 4 + bytes.length];
    if (end > this.#details.length) {
      const grown = new Uint8Array(new SharedArrayBuffer(2 * end));
      grown.set(this.#details);
      this.#details = grown;
    }
    for (let k = 0; k < 4; k++) this.#details[at + k] = (bytes.length >>> (8 * k)) & 255;
    this.#details.set(bytes, at + 4);
    this.#detailBytes = end;
  }
}

const NO_DETAILS = new Uint8Array(0);
