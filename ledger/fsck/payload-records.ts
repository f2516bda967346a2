/**
 * The records of payloads, as rows say where they are. Rows follow one another without gaps, records stand in the
 * order of their entries, and a file ends where its last row does.
 */
import { isZero } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { dayOfPayloadFile, payloadPathOf } from '../store/folder.js';
import { dayOfKey, indexOfKey } from '../store/store-keys.js';
import {
  decodePayloadPlace,
  decodePayloadSegment,
  PAYLOAD_HEAD_BYTES,
  type PayloadPlace,
  type StoredPayload,
} from '../store/store-payloads.js';
import type { LiveRow } from './leveldb-rows.js';
import type { PayloadFaults } from './payload-faults.js';
import type { PayloadSource } from './payload-source.js';

export interface PlacedPayload extends StoredPayload {
  readonly day: number;
  /** Where the record begins in the file of its day. */
  readonly offset: number;
}

/** A row that says where records are. */
interface PlaceRow extends PayloadPlace {
  readonly day: number;
  /** The entry of its first record. */
  readonly first: number;
}

export class PayloadRecords {
  readonly #source: PayloadSource;
  readonly #faults: PayloadFaults;
  /** Where the records of each day end that were read so far. */
  readonly #ends = new Map<number, number>();
  readonly #lastIndexes = new Map<number, number>();

  constructor(source: PayloadSource, faults: PayloadFaults) {
    this.#source = source;
    this.#faults = faults;
  }

  /**
   * The records of the next row. A file that is gone, cut short or full of zeros holds none: the entries have
   * lost their payloads.
   */
  *of(row: LiveRow): Generator<PlacedPayload> {
    const place = this.#placeOf(row);
    if (place === undefined) return;
    const { day, first, length } = place;
    const bytes = this.#source.read(day, place);
    if (bytes.length < length || isZero(bytes)) return;
    let offset = place.offset;
    for (const [i, record] of this.#decode(bytes, place).entries()) {
      const where = { index: record.index, file: payloadPathOf(day), offset };
      if (i === 0 && record.index !== first)
        this.#faults.add(day, 'begins a row that is named otherwise', where);
      if (record.index <= (this.#lastIndexes.get(day) ?? -1))
        this.#faults.add(day, 'is out of order in its file', where);
      this.#lastIndexes.set(day, record.index);
      yield { ...record, day, offset };
      offset += PAYLOAD_HEAD_BYTES + record.payload.length;
    }
  }

  /** Once all rows were read. `files`: names of those that are there. */
  checkFiles(files: readonly string[]): void {
    const days = files.flatMap((name) => dayOfPayloadFile(name) ?? []);
    for (const day of new Set([...days, ...this.#ends.keys()])) {
      const [size, end] = [this.#source.size(day), this.#ends.get(day) ?? 0];
      const file = payloadPathOf(day);
      if (!days.includes(day) && size === 0) this.#faults.add(day, 'is missing', { file });
      else if (size !== end) this.#faults.add(day, `has ${size} bytes, and its rows end at ${end}`, { file });
    }
  }

  #placeOf({ key, value }: LiveRow): PlaceRow | undefined {
    const [day, first] = [dayOfKey(key), indexOfKey(key)];
    try {
      const place = decodePayloadPlace(value);
      const gap = (this.#ends.get(day) ?? 0) !== place.offset;
      if (gap)
        this.#faults.add(day, 'begins a row whose payloads do not follow those before', { index: first });
      this.#ends.set(day, place.offset + place.length);
      return { ...place, day, first };
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      this.#faults.add(day, `begins a row that cannot be read: ${error.message}`, { index: first });
      return undefined;
    }
  }

  #decode(bytes: Uint8Array, { day, first, offset }: PlaceRow): readonly StoredPayload[] {
    try {
      return decodePayloadSegment(bytes);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      const where = { index: first, file: payloadPathOf(day), offset };
      this.#faults.add(day, `begins payloads that cannot be read: ${error.message}`, where);
      return [];
    }
  }
}
