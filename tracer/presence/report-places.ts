/**
 * Where in the ledger the presence reports stand that sightings came of, by day, so that evidence can cite them (evidence.md):
 * of each report its gateway, and from when to when it says that anybody was there. A row of six words:
 *
 *     gateway ID [0,8) | ledger index u64 | first start | last end      numbers as two halves, the higher first; times in unix seconds
 */
import type { KeptParts, PartChange } from '../contacts/kept-parts.js';
import { WordLog, wordsOfLog } from '../word-log.js';

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

/** As it stood: what is added later is not in it. */
export interface PlacesView {
  /** Ledger indexes of the gateway's reports that say that somebody was there from `from` to `to`, unix seconds, both inclusive. */
  reportsAt(gatewayId: Uint8Array, from: number, to: number): readonly number[];
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
    const days = [...this.#days.values()].map(({ words, used }) => words.subarray(0, used));
    return {
      reportsAt: (gatewayId, from, to) => days.flatMap((words) => indexesIn(words, gatewayId, from, to)),
    };
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

function indexesIn(words: Uint32Array, gatewayId: Uint8Array, from: number, to: number): number[] {
  const [head, tail] = headOf(gatewayId);
  const indexes: number[] = [];
  for (let at = 0; at < words.length; at += ROW_WORDS) {
    if (words[at] !== head || words[at + 1] !== tail) continue;
    if ((words[at + 4] ?? 0) > to || (words[at + 5] ?? 0) < from) continue;
    indexes.push((words[at + 2] ?? 0) * TWO_TO_32 + (words[at + 3] ?? 0));
  }
  return indexes;
}
