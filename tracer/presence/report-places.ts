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
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { WordLog, wordsOfLog } from '../contacts/word-log.js';

const ROW_WORDS = 6;
const PART = 'presence-reports/';
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

interface DayPlaces {
  words: Uint32Array;
  used: number;
  /** Words that are saved, and that are being saved. */
  kept: number;
  saving: number;
}

export class ReportPlaces {
  readonly #days = new Map<number, DayPlaces>();
  readonly #maxRows: number;
  /** Days that are saved and are to be so no longer. */
  #gone: number[] = [];

  constructor(maxRows = MAX_ROWS) {
    this.#maxRows = maxRows;
  }

  /** When there are too many, the oldest day makes room, unless the report is of that day itself or of an older one. */
  add({ day, gatewayId, ledgerIndex }: ReportPlace, from: number, to: number): void {
    while (this.#rows() >= this.#maxRows) {
      const oldest = Math.min(...this.#days.keys());
      if (oldest >= day) return;
      this.forget(oldest);
    }
    const index = [Math.floor(ledgerIndex / TWO_TO_32), ledgerIndex % TWO_TO_32];
    this.#write(day, [...headOf(gatewayId), ...index, from, to]);
  }

  forget(day: number): void {
    if ((this.#days.get(day)?.kept ?? 0) > 0) this.#gone.push(day);
    this.#days.delete(day);
  }

  forgetBefore(day: number): void {
    for (const held of [...this.#days.keys()].filter((one) => one < day)) this.forget(held);
  }

  /** What is not saved yet, a part for each day. It is as good as saved once {@link saved} is called. */
  changes(): PartChange[] {
    const changes: PartChange[] = this.#gone.map((day) => ({ kind: 'remove', name: PART + day }));
    for (const [day, places] of this.#days) {
      places.saving = places.used;
      if (places.used === places.kept) continue;
      const fresh = new WordLog();
      fresh.push(places.words.subarray(places.kept, places.used));
      changes.push({ kind: 'append', name: PART + day, bytes: fresh.bytes() });
    }
    return changes;
  }

  saved(): void {
    for (const places of this.#days.values()) places.kept = places.saving;
    this.#gone = [];
  }

  /** What parts held, into none. Throws `format`. */
  restore(parts: KeptParts): void {
    for (const [name, bytes] of parts) {
      if (!name.startsWith(PART)) continue;
      const words = wordsOfLog(bytes, ROW_WORDS, 'places of presence reports');
      const { length: used } = words;
      this.#days.set(Number(name.slice(PART.length)), { words, used, kept: used, saving: used });
    }
  }

  view(): PlacesView {
    const days = [...this.#days].map(([day, { words, used }]) => ({ day, words: words.subarray(0, used) }));
    return { reportsAt: (times) => indexesIn(days, times) };
  }

  #rows(): number {
    let words = 0;
    for (const { used } of this.#days.values()) words += used;
    return words / ROW_WORDS;
  }

  /** Words are never changed once written, so that views may share them. */
  #write(day: number, row: readonly number[]): void {
    const places = this.#days.get(day) ?? {
      words: new Uint32Array(64 * ROW_WORDS),
      used: 0,
      kept: 0,
      saving: 0,
    };
    this.#days.set(day, places);
    if (places.used + ROW_WORDS > places.words.length) {
      const grown = new Uint32Array(2 * places.words.length + ROW_WORDS);
      grown.set(places.words.subarray(0, places.used));
      places.words = grown;
    }
    places.words.set(row, places.used);
    places.used += ROW_WORDS;
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
