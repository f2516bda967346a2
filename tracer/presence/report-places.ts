/**
 * Where in the ledger the presence reports stand that sightings came of, by day, so that evidence can cite them
 * (evidence.md): of each report its gateway, and from when to when it says that anybody was there. A row of six
 * words:
 *
 *     gateway ID [0,8) | ledger index u64 | first start | last end
 *
 * Numbers of 64 bits are two words, the higher first; times are in unix seconds.
 */
import { dayOf } from '../../protocol/time.js';
import { DayParts } from '../contacts/day-parts.js';
import type { DayPart } from '../contacts/day-parts.js';
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { WordLog, wordsOfLog } from '../contacts/word-log.js';

const ROW_WORDS = 6;
const PART = 'presence-reports/';
const WHAT = 'places of presence reports';
const TWO_TO_32 = 2 ** 32;
/** 96 MiB of rows: of a thousand gateways for six weeks, at a report each quarter of an hour. */
const MAX_ROWS = 2 ** 22;

export interface ReportPlace {
  readonly day: number;
  /** Party ID, 16 bytes. */
  readonly gatewayId: Uint8Array;
  readonly ledgerIndex: number;
}

/** Unix seconds, both inclusive. */
export interface TimeAtGateway {
  /** Party ID, 16 bytes. */
  readonly gatewayId: Uint8Array;
  readonly from: number;
  readonly to: number;
}

/** As it stood: what is added later is not in it. */
export interface PlacesView {
  /**
   * Ledger indexes of the reports of these gateways that say that somebody was there at one of these times;
   * `undefined` now and then on the way to the next one, where a long search can be paused. It goes once
   * through the days of these times, however many times there are.
   */
  reportsAt(times: readonly TimeAtGateway[]): Iterable<number | undefined>;
}

export class ReportPlaces {
  readonly #places = new DayParts(PART, () => new DayPlaces());
  readonly #maxRows: number;

  constructor(maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  /** When there are too many, the oldest day makes room, unless the report is of that day itself or of an older one. */
  add({ day, gatewayId, ledgerIndex }: ReportPlace, from: number, to: number): void {
    while (this.#rows() >= this.#maxRows) {
      const oldest = Math.min(...this.#places.days.keys());
      if (oldest >= day) return;
      this.forget(oldest);
    }
    const index = [Math.floor(ledgerIndex / TWO_TO_32), ledgerIndex % TWO_TO_32];
    this.#places.at(day).push([...headOf(gatewayId), ...index, from, to]);
  }

  forget(day: number): void {
    this.#places.forget(day);
  }

  forgetBefore(day: number): void {
    this.#places.forgetBefore(day);
  }

  /** As of {@link DayParts.changes}. */
  changes(): PartChange[] {
    return this.#places.changes();
  }

  saved(): void {
    this.#places.saved();
  }

  /** What parts held, into none. Throws `format`. */
  restore(parts: KeptParts): void {
    this.#places.restore(parts);
  }

  view(): PlacesView {
    const days = [...this.#places.days].map(([day, { words }]) => ({ day, words }));
    return { reportsAt: (times) => indexesIn(days, times) };
  }

  #rows(): number {
    let rows = 0;
    for (const places of this.#places.days.values()) rows += places.rows;
    return rows;
  }
}

/** Of one day. Views share its words: a log that grows writes behind them, or into a copy. */
class DayPlaces implements DayPart {
  readonly #log = new WordLog();
  /** Bytes that are saved. */
  #kept = 0;

  get rows(): number {
    return this.#log.rows(ROW_WORDS);
  }

  get words(): Uint32Array {
    return wordsOfLog(this.#log.bytes(), ROW_WORDS, WHAT);
  }

  push(row: readonly number[]): void {
    this.#log.push(row);
  }

  change(name: string): PartChange | undefined {
    const bytes = this.#log.bytes().subarray(this.#kept);
    return bytes.length === 0 ? undefined : { kind: 'append', name, bytes };
  }

  saved(): void {
    this.#kept = this.#log.bytes().length;
  }

  restore(bytes: Uint8Array): void {
    this.#log.push(wordsOfLog(bytes, ROW_WORDS, WHAT));
    this.saved();
  }
}

function headOf(gatewayId: Uint8Array): readonly [number, number] {
  const id = Buffer.from(gatewayId.buffer, gatewayId.byteOffset, gatewayId.length);
  return [id.readUInt32BE(0), id.readUInt32BE(4)];
}

type Head = ReturnType<typeof headOf>;

/** Both inclusive, in order, none that touches another. */
type Times = (readonly [from: number, to: number])[];

/** Rows between two pauses. */
const ROWS_A_PAUSE = 4096;

function* indexesIn(
  days: readonly { readonly day: number; readonly words: Uint32Array }[],
  times: readonly TimeAtGateway[],
): Generator<number | undefined, void, undefined> {
  const wanted = wantedDays(times);
  const timesOf = timesByGateway(times);
  for (const { words } of days.filter(({ day }) => wanted.has(day)))
    for (let at = 0; at < words.length; at += ROW_WORDS) {
      if (at % (ROWS_A_PAUSE * ROW_WORDS) === 0) yield undefined;
      const ofGateway = timesOf([words[at] ?? 0, words[at + 1] ?? 0]);
      if (ofGateway === undefined || !meets(ofGateway, words[at + 4] ?? 0, words[at + 5] ?? 0)) continue;
      yield (words[at + 2] ?? 0) * TWO_TO_32 + (words[at + 3] ?? 0);
    }
}

/** What a report says begins on its own day, and ends within a day of that. */
function wantedDays(times: readonly TimeAtGateway[]): ReadonlySet<number> {
  const days = new Set<number>();
  for (const { from, to } of times) for (let day = dayOf(from) - 1; day <= dayOf(to); day++) days.add(day);
  return days;
}

function timesByGateway(times: readonly TimeAtGateway[]): (head: Head) => Times | undefined {
  const byHead = new Map<number, Map<number, Times>>();
  for (const { gatewayId, from, to } of times.toSorted((x, y) => x.from - y.from)) {
    const [head, tail] = headOf(gatewayId);
    const byTail = byHead.get(head) ?? new Map<number, Times>();
    byHead.set(head, byTail);
    const ofGateway = byTail.get(tail) ?? [];
    byTail.set(tail, ofGateway);
    const last = ofGateway.at(-1);
    if (last === undefined || last[1] < from) ofGateway.push([from, to]);
    else ofGateway[ofGateway.length - 1] = [last[0], Math.max(last[1], to)];
  }
  return ([head, tail]) => byHead.get(head)?.get(tail);
}

/** Whether one of the times has a second from `first` to `last` in it. */
function meets(times: Times, first: number, last: number): boolean {
  let [low, high] = [0, times.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((times[middle]?.[1] ?? Infinity) < first) low = middle + 1;
    else high = middle;
  }
  return (times[low]?.[0] ?? Infinity) <= last;
}
