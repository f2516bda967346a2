/**
 * LevelDB's encodings (table_format.md, version_edit.cc, dbformat.h): little-endian numbers, varints, and keys inside
 * the store, which end in a sequence number and a kind:
 *
 *     internal key    user key | u64 (sequence number << 8 | kind)       kind: 0 deleted, 1 a value
 *
 * Varints must be as short as they can be: LevelDB writes no others.
 */
import { FirebreakError } from '../../protocol/errors.js';

/** Numbers of files, sizes and sequence numbers stay far below this. */
const MAX_SAFE_HIGH = 2 ** 21;
const TRAILER = 8;

const malformed = (what: string): FirebreakError => new FirebreakError('format', what);

/** Reads fields in order. Throws `format` when bytes run out or are not as LevelDB writes them. */
export class LevelBytes {
  readonly #bytes: Uint8Array;
  #at: number;

  constructor(bytes: Uint8Array, at = 0) {
    this.#bytes = bytes;
    this.#at = at;
  }

  get at(): number {
    return this.#at;
  }

  get isAtEnd(): boolean {
    return this.#at >= this.#bytes.length;
  }

  u8(): number {
    const byte = this.#bytes[this.#at];
    if (byte === undefined) throw malformed('it ends too early');
    this.#at += 1;
    return byte;
  }

  u32(): number {
    return (this.u8() | (this.u8() << 8) | (this.u8() << 16) | (this.u8() << 24)) >>> 0;
  }

  u64(): number {
    const low = this.u32();
    const high = this.u32();
    if (high >= MAX_SAFE_HIGH) throw malformed('it holds a number out of range');
    return high * 2 ** 32 + low;
  }

  varint(): number {
    let value = 0;
    let scale = 1;
    for (;;) {
      const byte = this.u8();
      value += (byte & 0x7f) * scale;
      if (!Number.isSafeInteger(value)) throw malformed('it holds a number out of range');
      if (byte < 0x80) {
        if (byte === 0 && scale > 1) throw malformed('it holds a number that is longer than it needs to be');
        return value;
      }
      scale *= 128;
    }
  }

  /** A view. */
  take(length: number): Uint8Array {
    const end = this.#at + length;
    if (end > this.#bytes.length) throw malformed('it ends too early');
    const taken = this.#bytes.subarray(this.#at, end);
    this.#at = end;
    return taken;
  }

  /** Length, then that many bytes, as a view. */
  slice(): Uint8Array {
    return this.take(this.varint());
  }
}

export interface InternalKey {
  readonly userKey: Uint8Array;
  readonly sequence: number;
  readonly deleted: boolean;
}

/** The key alone: in an index block, what follows it is no sequence number in use. */
export const userKeyOf = (internalKey: Uint8Array): Uint8Array =>
  internalKey.subarray(0, Math.max(0, internalKey.length - TRAILER));

/** Throws `format`. */
export function decodeInternalKey(bytes: Uint8Array): InternalKey {
  const end = bytes.length - TRAILER;
  if (end < 0) throw malformed('a key in it is too short');
  const kind = bytes[end] as number;
  if (kind > 1) throw malformed('a key in it is of an unknown kind');
  let sequence = 0;
  for (let i = 7; i >= 1; i--) sequence = sequence * 256 + (bytes[end + i] as number);
  if (!Number.isSafeInteger(sequence)) throw malformed('it holds a sequence number out of range');
  return { userKey: bytes.subarray(0, end), sequence, deleted: kind === 0 };
}

/** Order in the store: by user key, then the newest first. */
export function compareInternal(a: InternalKey, b: InternalKey): number {
  return Buffer.compare(a.userKey, b.userKey) || b.sequence - a.sequence;
}
