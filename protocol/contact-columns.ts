/**
 * Contacts of one day as binary columns: how a synthetic city is written and a contact store reads it without a detour
 * (docs/city.md). Little-endian, each column as long as there are contacts:
 *
 *     "FBCC" | version u32 = 1 | day u32 | count u32 | CRC-32 of all else u32 | 12 zeros
 *     lower u32 | upper u32 | start u32 | duration u16 | immediate u16 | near u16 | medium u16 | other u16
 *     attenuation u8 dB | flags u8: 1 mutual, 2 partial
 *
 * lower and upper are tag numbers below 2^32, lower < upper; start is in unix seconds and lies in `day`
 * (UTC); a pair has one contact an epoch of 900 s at most. Ordered by start, then lower, then upper.
 */
import { crc32 } from 'node:zlib';
import { FirebreakError } from './errors.js';

const MAGIC = 0x43434246;
const VERSION = 1;
const HEAD_BYTES = 32;
const CHECKSUM_AT = 16;
const BYTES_PER_CONTACT = 24;

export const MUTUAL = 1;
export const PARTIAL = 2;

export interface ContactColumns {
  readonly day: number;
  readonly count: number;
  readonly lower: Uint32Array;
  readonly upper: Uint32Array;
  readonly start: Uint32Array;
  /** Seconds, as are the four after it. */
  readonly duration: Uint16Array;
  readonly immediate: Uint16Array;
  readonly near: Uint16Array;
  readonly medium: Uint16Array;
  readonly other: Uint16Array;
  readonly attenuationDb: Uint8Array;
  readonly flags: Uint8Array;
}

/** A file for `count` contacts with empty columns to be filled, and then {@link sealContactColumns}. */
export function newContactColumns(
  day: number,
  count: number,
): { readonly bytes: Uint8Array<ArrayBuffer>; readonly columns: ContactColumns } {
  const bytes = new Uint8Array(HEAD_BYTES + count * BYTES_PER_CONTACT);
  new Uint32Array(bytes.buffer, 0, 4).set([MAGIC, VERSION, day, count]);
  return { bytes, columns: columnsIn(bytes, day, count) };
}

/** Writes the checksum of what the columns hold now. */
export function sealContactColumns(bytes: Uint8Array): void {
  new Uint32Array(bytes.buffer, bytes.byteOffset + CHECKSUM_AT, 1)[0] = checksumOf(bytes);
}

const checksumOf = (bytes: Uint8Array): number =>
  crc32(bytes.subarray(CHECKSUM_AT + 4), crc32(bytes.subarray(0, CHECKSUM_AT)));

/** Views of a file's bytes, no copies. Throws `format` for another kind of file, `damaged` for one that was changed. */
export function readContactColumns(bytes: Uint8Array): ContactColumns {
  if (bytes.length < HEAD_BYTES || bytes.byteOffset % 4 !== 0)
    throw new FirebreakError('format', 'this is no file of contact columns: it is too short');
  const [magic, version, day = 0, count = 0, checksum] = new Uint32Array(bytes.buffer, bytes.byteOffset, 5);
  if (magic !== MAGIC || version !== VERSION)
    throw new FirebreakError('format', 'this is no file of contact columns of version 1');
  if (bytes.length !== HEAD_BYTES + count * BYTES_PER_CONTACT || checksum !== checksumOf(bytes))
    throw new FirebreakError('damaged', `the contact columns of day ${day} are cut short or were changed`);
  return columnsIn(bytes, day, count);
}

function columnsIn({ buffer, byteOffset }: Uint8Array, day: number, count: number): ContactColumns {
  let at = byteOffset + HEAD_BYTES;
  const take = (width: number): readonly [ArrayBufferLike, number, number] => {
    at += width * count;
    return [buffer, at - width * count, count];
  };
  return {
    day,
    count,
    lower: new Uint32Array(...take(4)),
    upper: new Uint32Array(...take(4)),
    start: new Uint32Array(...take(4)),
    duration: new Uint16Array(...take(2)),
    immediate: new Uint16Array(...take(2)),
    near: new Uint16Array(...take(2)),
    medium: new Uint16Array(...take(2)),
    other: new Uint16Array(...take(2)),
    attenuationDb: new Uint8Array(...take(1)),
    flags: new Uint8Array(...take(1)),
  };
}
