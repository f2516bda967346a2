/**
 * The payload index in parts, a filter each: what came with entries that follow one another, two full tables of it. Its
 * records are in a few values of each bucket, from the last one of the part before, which may have had room, to its own.
 *
 *     i | number   filter | reach, as they were when the last table of the part was in the buckets and synced
 *     reach        hashes in the filter u32 | entries before u48 | values of each bucket u32, 4,096 of them
 *
 * "Entries before": the payloads of all entries before that one are in this part or in an earlier one.
 *
 * Older folders begin with filters that have no reach, and with one row for all of these together,
 *
 *     j            hashes u48 | values of each bucket u32, 4,096 of them
 *
 * which stays as it is when newer parts follow. Each such part may be anywhere in the values that this row names.
 */
import { asBuffer, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { FILTER_BYTES, type NewestFilter } from './payload-filter.js';
import { BUCKETS } from './payload-table.js';

const OLD_HEAD_BYTES = 6;
const HEAD_BYTES = 4 + 6;
const VALUES_BYTES = 4 * BUCKETS;
const REACH_BYTES = HEAD_BYTES + VALUES_BYTES;

/** How far the index had come when a part was written. */
export interface Reach {
  /** In the filter of the part. */
  readonly hashes: number;
  /** The payloads of the entries before this one are in the buckets. */
  readonly before: number;
  /** Number of the last value of each bucket; -1 for none. */
  readonly tails: Int32Array;
}

export interface Part {
  /** Number of the last value of each bucket before there was this part; -1 for none. */
  readonly tailsBefore: Int32Array;
  readonly tails: Int32Array;
  /** `undefined` in an older folder. */
  readonly reach: Reach | undefined;
}

export const noTails = (): Int32Array => new Int32Array(BUCKETS).fill(-1);

const damaged = (what: string): FirebreakError => new FirebreakError('damaged', what);

function readTails(bytes: Buffer, at: number): Int32Array {
  return Int32Array.from({ length: BUCKETS }, (_, bucket) => bytes.readUInt32BE(at + 4 * bucket) - 1);
}

/** The row of a part. */
export function encodePart(
  { hashes, bytes: filter }: NewestFilter,
  reach: Omit<Reach, 'hashes'>,
): Uint8Array {
  const bytes = Buffer.allocUnsafe(REACH_BYTES);
  bytes.writeUInt32BE(hashes, 0);
  bytes.writeUIntBE(reach.before, 4, 6);
  reach.tails.forEach((tail, bucket) => bytes.writeUInt32BE(tail + 1, HEAD_BYTES + 4 * bucket));
  return concat(filter, bytes);
}

/** The tails in the row that older folders have. Throws `damaged`. */
function decodeOldTails(value: Uint8Array): Int32Array {
  if (value.length === OLD_HEAD_BYTES + VALUES_BYTES) return readTails(asBuffer(value), OLD_HEAD_BYTES);
  throw damaged('the books of the payload index are cut short');
}

/** Makes parts of their rows, which are given to it one after the other. */
export class PartsReader {
  readonly #oldTails: Int32Array | undefined;
  readonly filters: Uint8Array[] = [];
  readonly parts: Part[] = [];

  /** `oldBooks`: the row of an older folder. Throws `damaged`. */
  constructor(oldBooks: Uint8Array | undefined) {
    this.#oldTails = oldBooks && decodeOldTails(oldBooks);
  }

  /** Throws `damaged` for a row that cannot follow those before it. */
  add(value: Uint8Array): void {
    const number = this.parts.length;
    this.parts.push(value.length === FILTER_BYTES ? this.#oldPart(number) : this.#part(number, value));
    this.filters.push(value.subarray(0, FILTER_BYTES));
  }

  #oldPart(number: number): Part {
    if (this.#oldTails === undefined || this.parts.at(-1)?.reach !== undefined)
      throw damaged(`filter ${number} of the payload index is cut short`);
    return { tailsBefore: noTails(), tails: this.#oldTails, reach: undefined };
  }

  #part(number: number, value: Uint8Array): Part {
    if (value.length !== FILTER_BYTES + REACH_BYTES)
      throw damaged(`filter ${number} of the payload index is cut short`);
    if (number === 0 && this.#oldTails !== undefined)
      throw damaged('the payload index has lost its first filters');
    const bytes = asBuffer(value).subarray(FILTER_BYTES);
    const tails = readTails(bytes, HEAD_BYTES);
    const reach = { hashes: bytes.readUInt32BE(0), before: bytes.readUIntBE(4, 6), tails };
    return { tailsBefore: this.parts.at(-1)?.tails ?? noTails(), tails, reach };
  }
}

/** Numbers of the values of a bucket that may hold records of a part. */
export function valuesOf({ tailsBefore, tails }: Part, bucket: number): { first: number; last: number } {
  return { first: Math.max(0, tailsBefore[bucket] as number), last: tails[bucket] as number };
}
