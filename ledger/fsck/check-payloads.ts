/**
 * Payloads: each that is new to the log is stored once, under its entry and in the file of its day, with the
 * bytes of its hash; and nothing else is stored. A row says where its records are; records fill a file
 * without gaps.
 */
import { equalBytes, isZero } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { dayOfPayloadFile, PAYLOAD_FOLDER, payloadFileOf } from '../store/folder.js';
import { dayOfKey, indexOfKey } from '../store/store-keys.js';
import {
  decodePayloadPlace,
  decodePayloadSegment,
  PAYLOAD_HEAD_BYTES,
  type PayloadPlace,
  type StoredPayload,
} from '../store/store-payloads.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Place } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import { eachRow, type Step } from './pace.js';
import type { PayloadSource } from './payload-source.js';
import type { RowView } from './row-view.js';

export interface PayloadCheckInput {
  readonly rows: RowView;
  readonly source: PayloadSource;
  /** Names of the files that are there. */
  readonly files: readonly string[];
  readonly columns: EntryColumns;
  /** Entries whose payloads are wanted. */
  readonly wanted: ReadonlySet<number>;
  readonly pace: Step;
}

/**
 * Something wrong with what is stored for a day; it is none when the day was pruned, and its file is on its
 * way out.
 */
export interface PayloadFault extends Place {
  readonly day: number;
  readonly what: string;
}

export interface PayloadSummary {
  readonly stored: number;
  /** The wanted payloads that are stored as they were logged; copies. */
  readonly payloads: ReadonlyMap<number, Uint8Array>;
  readonly faults: readonly PayloadFault[];
}

/**
 * Of one day; more are never told one by one. A pruned day's do not count, and must keep those of no other
 * from being told.
 */
const MAX_FAULTS = 10_000;
/** In payloads up to this long the flipped bit is looked for: some 10,000 hashes. */
const MAX_SEARCHED_BYTES = 1280;

/** What is wrong with a payload that is stored for an entry of the log. */
function faultOf(columns: EntryColumns, { index, payload }: StoredPayload, day: number): string | undefined {
  if (columns.has(index, MARK.stored)) return 'has its payload stored twice';
  if (!columns.has(index, MARK.first))
    return `has a payload stored that first came with entry ${columns.firstWith(columns.hashOf(index))}`;
  if (columns.retentionDays[index] !== day)
    return `has its payload stored under day ${day}, not ${columns.retentionDays[index]}`;
  if (columns.lengths[index] !== payload.length)
    return `has a payload of ${payload.length} bytes stored, and says ${columns.lengths[index]}`;
  return equalBytes(sha256(payload), columns.hashOf(index))
    ? undefined
    : 'has other bytes stored than its payload';
}

/** The byte of a payload that has its hash once one bit of it is changed; 0 when no bit explains it. */
function flippedByte(payload: Uint8Array, hash: Uint8Array): number {
  if (payload.length > MAX_SEARCHED_BYTES) return 0;
  const bytes = Buffer.from(payload);
  for (let bit = 0; bit < bytes.length * 8; bit++) {
    const at = bit >> 3;
    const before = bytes[at] as number;
    bytes[at] = before ^ (1 << (bit & 7));
    if (equalBytes(sha256(bytes), hash)) return at;
    bytes[at] = before;
  }
  return 0;
}

class PayloadCheck {
  readonly #input: PayloadCheckInput;
  readonly #kept = new Map<number, Uint8Array>();
  readonly #faults = new Map<number, PayloadFault[]>();
  /** Where the records of each day end that were read so far. */
  readonly #ends = new Map<number, number>();
  readonly #lastIndexes = new Map<number, number>();
  #stored = 0;

  constructor(input: PayloadCheckInput) {
    this.#input = input;
  }

  addRow({ key, value }: LiveRow): void {
    const [day, index] = [dayOfKey(key), indexOfKey(key)];
    try {
      const place = decodePayloadPlace(value);
      const gap = (this.#ends.get(day) ?? 0) !== place.offset;
      if (gap) this.#fault(day, 'begins a row whose payloads do not follow those before', { index });
      this.#ends.set(day, place.offset + place.length);
      this.#addRecords(day, index, place);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      this.#fault(day, `begins a row that cannot be read: ${error.message}`, { index });
    }
  }

  finish(): PayloadSummary {
    const { source, files } = this.#input;
    const days = files.flatMap((name) => dayOfPayloadFile(name) ?? []);
    for (const day of new Set([...days, ...this.#ends.keys()])) {
      const [size, end] = [source.size(day), this.#ends.get(day) ?? 0];
      const file = fileOf(day);
      if (!days.includes(day) && size === 0) this.#fault(day, 'is missing', { file });
      else if (size !== end) this.#fault(day, `has ${size} bytes, and its rows end at ${end}`, { file });
    }
    return { stored: this.#stored, payloads: this.#kept, faults: [...this.#faults.values()].flat() };
  }

  /** A file that is gone, cut short or full of zeros holds nothing: the entries have lost their payloads. */
  #addRecords(day: number, first: number, place: PayloadPlace): void {
    const bytes = this.#input.source.read(day, place);
    if (bytes.length < place.length || isZero(bytes)) return;
    let at = place.offset;
    this.#recordsIn(bytes, day, first, place).forEach((one, i) => {
      const where = { index: one.index, file: fileOf(day), offset: at };
      if (i === 0 && one.index !== first) this.#fault(day, 'begins a row that is named otherwise', where);
      if (one.index <= (this.#lastIndexes.get(day) ?? -1))
        this.#fault(day, 'is out of order in its file', where);
      this.#lastIndexes.set(day, one.index);
      this.#addPayload(one, day, at);
      at += PAYLOAD_HEAD_BYTES + one.payload.length;
    });
  }

  #recordsIn(
    bytes: Uint8Array,
    day: number,
    first: number,
    { offset }: PayloadPlace,
  ): readonly StoredPayload[] {
    try {
      return decodePayloadSegment(bytes);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      const where = { index: first, file: fileOf(day), offset };
      this.#fault(day, `begins payloads that cannot be read: ${error.message}`, where);
      return [];
    }
  }

  #addPayload(one: StoredPayload, day: number, at: number): void {
    const { columns, wanted } = this.#input;
    const { index, payload } = one;
    const where = { index, file: fileOf(day), offset: at };
    if (index >= columns.size)
      return this.#fault(day, 'is not in the signed log, and has a payload stored', where);
    if (!columns.has(index, MARK.known)) return columns.mark(index, MARK.stored);
    const what = faultOf(columns, one, day);
    columns.mark(index, MARK.stored);
    if (what === undefined) {
      this.#stored += 1;
      if (wanted.has(index)) this.#kept.set(index, new Uint8Array(payload));
      return;
    }
    const flipped = what.startsWith('has other bytes') ? flippedByte(payload, columns.hashOf(index)) : 0;
    this.#fault(day, what, { ...where, offset: at + PAYLOAD_HEAD_BYTES + flipped });
  }

  #fault(day: number, what: string, place: Place): void {
    const ofDay = this.#faults.get(day) ?? [];
    this.#faults.set(day, ofDay);
    if (ofDay.length < MAX_FAULTS) ofDay.push({ day, what, ...place });
  }
}

const fileOf = (day: number): string => `${PAYLOAD_FOLDER}/${payloadFileOf(day)}`;

/** The entry that holds the payload of this one: itself, or the first one with the same payload. */
export const holderOf = (columns: EntryColumns, index: number): number =>
  columns.firstWith(columns.hashOf(index)) ?? index;

/** Reads all payloads once. */
export async function checkPayloads(input: PayloadCheckInput): Promise<PayloadSummary> {
  const check = new PayloadCheck(input);
  await eachRow(input.rows.ofKind('p'), input.pace, (row) => check.addRow(row));
  return check.finish();
}
