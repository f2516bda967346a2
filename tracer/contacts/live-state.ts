/**
 * Live contacts as bytes, for the state that is saved with a manifest. Big-endian:
 *
 *     keepFrom u64 | rows u32, then each: lower u32 | upper u32 | epoch u32 | start u32 | duration u16 | immediate, near, medium, other u16 |
 *     nearInDay u16 | dB u8 | flags u8: 1 mutual, 2 partial, 4 with accounts | length u32 and cold-contact.ts, if so
 *     replaced u32, then each: segment u32 | entry u32 | person in whose row it stands u32
 */
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import { asEpoch } from '../../protocol/brands.js';
import { decodeDetails, encodeDetails } from './cold-contact.js';
import type { LiveRow } from './live-table.js';

const ROW_BYTES = 30;
const REPLACED_BYTES = 12;
const [MUTUAL, PARTIAL, ACCOUNTS] = [1, 2, 4];

export interface ReplacedKept {
  readonly segment: number;
  readonly entry: number;
  readonly person: number;
}

/** What {@link readLive} reads. `keepFrom`: contacts that ended before it are gone, unix seconds. */
export function writeLive(
  keepFrom: number,
  rows: Iterable<LiveRow>,
  replaced: readonly ReplacedKept[],
): Uint8Array {
  const writer = new GrowingBytes();
  let count = 0;
  for (const row of rows) {
    writer.add(rowBytes(row));
    count += 1;
  }
  const tail = new ByteWriter(4 + REPLACED_BYTES * replaced.length).u32(replaced.length);
  for (const { segment, entry, person } of replaced) tail.u32(segment).u32(entry).u32(person);
  writer.add(tail.finish());
  return writer.finish(new ByteWriter(12).u64(keepFrom).u32(count).finish());
}

/** Hands each row to `take`, then gives what was replaced. Throws `format` for bytes that {@link writeLive} did not make. */
export function readLive(
  bytes: Uint8Array,
  take: (row: LiveRow) => void,
): { readonly keepFrom: number; readonly replaced: readonly ReplacedKept[] } {
  const reader = new ByteReader(bytes, 'the live contacts');
  const keepFrom = reader.u64();
  const rows = reader.u32();
  for (let k = 0; k < rows; k++) take(readRow(reader));
  const replaced = Array.from({ length: reader.u32() }, () => ({
    segment: reader.u32(),
    entry: reader.u32(),
    person: reader.u32(),
  }));
  reader.end();
  return { keepFrom, replaced };
}

function rowBytes(row: LiveRow): Uint8Array {
  const { sides, mutual, partial } = row;
  const details = sides && encodeDetails(asEpoch(row.epoch), sides);
  const writer = new ByteWriter(ROW_BYTES + (details ? 4 + details.length : 0))
    .u32(row.lower)
    .u32(row.upper)
    .u32(row.epoch)
    .u32(row.start);
  for (const value of [row.duration, row.immediate, row.near, row.medium, row.other, row.nearInDay])
    writer.u16(value);
  writer.u8(row.attenuationDb).u8((mutual ? MUTUAL : 0) | (partial ? PARTIAL : 0) | (details ? ACCOUNTS : 0));
  if (details) writer.u32(details.length).bytes(details);
  return writer.finish();
}

function readRow(reader: ByteReader): LiveRow {
  const [lower, upper, epoch, start] = [reader.u32(), reader.u32(), reader.u32(), reader.u32()];
  const [duration, immediate, near] = [reader.u16(), reader.u16(), reader.u16()];
  const [medium, other, nearInDay] = [reader.u16(), reader.u16(), reader.u16()];
  const [attenuationDb, flags] = [reader.u8(), reader.u8()];
  const sides = (flags & ACCOUNTS) === 0 ? undefined : decodeDetails(reader.view(reader.u32())).accounts;
  return {
    ...{ lower, upper, epoch, start, duration, immediate, near, medium, other, nearInDay, attenuationDb },
    mutual: (flags & MUTUAL) !== 0,
    partial: (flags & PARTIAL) !== 0,
    sides,
  };
}

/** Bytes that come piece by piece, of which nobody knows how many there will be. */
class GrowingBytes {
  #bytes = new Uint8Array(4096);
  #used = 0;

  add(piece: Uint8Array): void {
    if (this.#used + piece.length > this.#bytes.length) {
      const grown = new Uint8Array(2 * (this.#used + piece.length));
      grown.set(this.#bytes.subarray(0, this.#used));
      this.#bytes = grown;
    }
    this.#bytes.set(piece, this.#used);
    this.#used += piece.length;
  }

  finish(before: Uint8Array): Uint8Array {
    const whole = new Uint8Array(before.length + this.#used);
    whole.set(before);
    whole.set(this.#bytes.subarray(0, this.#used), before.length);
    return whole;
  }
}
