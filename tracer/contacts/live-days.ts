/** A closed live table, gathered by days for sealing. */
import { asEpoch } from '../../protocol/brands.js';
import { dayOf } from '../../protocol/time.js';
import { Turns } from '../turns.js';
import { encodeDetails } from './cold-contact.js';
import { PARTIAL } from './live-table.js';
import type { LiveRows } from './live-table.js';
import { firstOf, newColumns } from './to-seal.js';
import type { ToSeal } from './to-seal.js';

export interface DayToSeal {
  readonly contacts: ToSeal;
  /** Of the rows that were taken, in their order. */
  readonly versions: Float64Array;
}

/** Others on this thread take contacts and hand out traces: they do not notice so short a turn. */
const TURN_MS = 1;
/** Rows between two looks at the clock. */
const ROWS_A_LOOK = 512;

/**
 * The contacts of a table that stand now and begin before `beforeDay`, by the day they begin in, for days with at least
 * `least` of them.
 */
export async function gatherDays(rows: LiveRows, beforeDay: number, least: number): Promise<DayToSeal[]> {
  const counts = new Map<number, number>();
  await eachAlive(rows, (row) => {
    const day = dayOf(rows.table.start[row]!);
    counts.set(day, (counts.get(day) ?? 0) + 1);
  });
  const days = new Map<number, GatheredDay>();
  for (const [day, count] of counts)
    if (day < beforeDay && count >= least) days.set(day, new GatheredDay(rows, count));
  if (days.size > 0) await eachAlive(rows, (row) => days.get(dayOf(rows.table.start[row]!))?.take(row));
  return [...days.values()].flatMap((day) => day.finish());
}

/** In the order of the rows; some may die on the way. */
async function eachAlive({ table, count }: LiveRows, use: (row: number) => void): Promise<void> {
  const turns = new Turns(undefined, TURN_MS);
  for (let row = 0; row < count; row++) {
    if (table.died[row] === 0) use(row);
    if (row % ROWS_A_LOOK === 0 && turns.isOver) await turns.next();
  }
}

/** Columns in shared memory, for as many contacts as the day had at first: some may have died since. */
class GatheredDay {
  readonly #rows: LiveRows;
  readonly #columns;
  readonly #versions: Float64Array;
  #count = 0;
  #details = new Uint8Array(new SharedArrayBuffer(4096));
  #detailBytes = 0;

  constructor(rows: LiveRows, count: number) {
    this.#rows = rows;
    this.#columns = newColumns(count);
    this.#versions = new Float64Array(count);
  }

  take(row: number): void {
    const { table, beside } = this.#rows;
    const to = this.#columns;
    const at = this.#count++;
    const version = table.firstVersion + row;
    this.#versions[at] = version;
    to.lower[at] = table.person[2 * row]!;
    to.upper[at] = table.person[2 * row + 1]!;
    to.start[at] = table.start[row]!;
    to.duration[at] = table.duration[row]!;
    to.near[at] = this.#rows.nearSecondsOf(version);
    to.signal[at] = table.signal[row]!;
    to.weight[at] = table.weight[row]!;
    to.nearInDay[at] = table.nearInDay[row]!;
    to.buckets[4 * at] = table.immediate[row]!;
    to.buckets[4 * at + 1] = table.near[row]!;
    to.buckets[4 * at + 2] = table.medium[row]!;
    to.buckets[4 * at + 3] = beside.other[row]!;
    to.partial[at] = beside.flags[row] === PARTIAL ? 1 : 0;
    const { epoch, sides } = beside.accounts[row] === 0 ? NO_ACCOUNTS : this.#rows.read(version);
    this.#addDetails(sides ? encodeDetails(asEpoch(epoch), sides) : NO_DETAILS);
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
const NO_ACCOUNTS = { epoch: 0, sides: undefined };
