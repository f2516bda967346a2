/**
 * The part of deterministic CBOR (RFC 8949 §4.2.1) that the protocol uses, for fixed schemas (protocol.md §9, §10):
 *
 *     major 0 unsigned up to 2^53 − 1 | major 2 byte string | major 3 text | major 4 array | 0xf6 null
 *
 * The writer only writes shortest forms and definite lengths; the reader refuses everything else, so that decoding
 * and encoding again gives the same bytes.
 */
import assert from 'node:assert/strict';
import { asBuffer } from './bytes.js';
import { FirebreakError } from './errors.js';
import { utf8Text } from './tlog/text-forms.js';

const UNSIGNED = 0;
const BYTES = 2;
const TEXT = 3;
const ARRAY = 4;
const NULL = 0xf6;
const TWO_TO_32 = 2 ** 32;

/** How many bytes the head of an item takes: a number itself, or the length before a string or an array. */
export function cborHeadSize(value: number): number {
  if (value < 24) return 1;
  if (value < 2 ** 8) return 2;
  if (value < 2 ** 16) return 3;
  return value < TWO_TO_32 ? 5 : 9;
}

/** Writes into one buffer of the `capacity` the caller worked out; writing past it is a defect of the caller. */
export class CborWriter {
  private readonly buffer: Buffer;
  private at = 0;
  private start = 0;

  constructor(capacity: number) {
    this.buffer = Buffer.allocUnsafe(capacity);
  }

  array(length: number): this {
    return this.head(ARRAY, length);
  }

  /** Throws `format` unless `value` is a whole number from 0 to 2^53 − 1. */
  uint(value: number): this {
    if (!Number.isSafeInteger(value) || value < 0) {
      throw new FirebreakError('format', `CBOR can hold whole numbers from 0 to 2^53 − 1 here, not ${value}`);
    }
    return this.head(UNSIGNED, value);
  }

  bytes(value: Uint8Array): this {
    this.head(BYTES, value.length);
    this.buffer.set(value, this.at);
    this.at += value.length;
    return this;
  }

  /** Throws `format` for text that has no UTF-8 form (a lone surrogate). */
  text(value: string): this {
    const encoded = Buffer.from(value, 'utf8');
    if (encoded.toString('utf8') !== value)
      throw new FirebreakError('format', 'text is not well-formed Unicode');
    this.head(TEXT, encoded.length);
    this.buffer.set(encoded, this.at);
    this.at += encoded.length;
    return this;
  }

  null(): this {
    this.buffer[this.at++] = NULL;
    return this;
  }

  /** What was written since the last call: one of several messages that share the buffer, or the only one. */
  finish(): Uint8Array {
    assert(this.at <= this.buffer.length, 'the capacity of a CBOR writer is worked out from what it writes');
    const written = this.buffer.subarray(this.start, this.at);
    this.start = this.at;
    return written;
  }

  private head(major: number, value: number): this {
    const { buffer, at } = this;
    const type = major << 5;
    if (value < 24) {
      buffer[at] = type | value;
    } else if (value < 2 ** 8) {
      buffer[at] = type | 24;
      buffer[at + 1] = value;
    } else if (value < 2 ** 16) {
      buffer[at] = type | 25;
      buffer.writeUInt16BE(value, at + 1);
    } else if (value < TWO_TO_32) {
      buffer[at] = type | 26;
      buffer.writeUInt32BE(value, at + 1);
    } else {
      buffer[at] = type | 27;
      buffer.writeUInt32BE(Math.floor(value / TWO_TO_32), at + 1);
      buffer.writeUInt32BE(value % TWO_TO_32, at + 5);
    }
    this.at = at + cborHeadSize(value);
    return this;
  }
}

/**
 * Reads items in the order of a schema. Everything malformed throws `format`; `what` names the message in the
 * error.
 */
export class CborReader {
  private readonly buffer: Buffer;
  private readonly what: string;
  private at = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.buffer = asBuffer(bytes);
    this.what = what;
  }

  /** The length of an array: exactly `length` when that is given, at most `max` otherwise. */
  array({ length, max = length ?? 0 }: { readonly length?: number; readonly max?: number }): number {
    const value = this.head(ARRAY, 'an array');
    if (value > max || (length !== undefined && value !== length)) {
      throw this.refusal(`an array of ${value}, not of ${length ?? `at most ${max}`}`);
    }
    return value;
  }

  uint(max: number = Number.MAX_SAFE_INTEGER): number {
    const value = this.head(UNSIGNED, 'a whole number');
    if (value > max) throw this.refusal(`the number ${value} where at most ${max} is allowed`);
    return value;
  }

  uintOrNull(max: number = Number.MAX_SAFE_INTEGER): number | null {
    if (this.buffer[this.at] !== NULL) return this.uint(max);
    this.at += 1;
    return null;
  }

  /** A copy of a byte string of exactly `length` bytes. */
  bytes(length: number): Uint8Array {
    const value = this.head(BYTES, 'a byte string');
    if (value !== length) throw this.refusal(`a byte string of ${value} bytes, not ${length}`);
    return this.take(length);
  }

  /** A byte string of at most `max` bytes, as a view of what is read; a longer one throws `size`. */
  viewUpTo(max: number): Uint8Array {
    const value = this.head(BYTES, 'a byte string');
    if (value > max) {
      throw new FirebreakError(
        'size',
        `${this.what}: a byte string of ${value} bytes is over the bound of ${max}`,
      );
    }
    return this.view(value);
  }

  /** Text of at most `maxBytes` bytes of UTF-8. */
  text(maxBytes: number): string {
    const value = this.head(TEXT, 'text');
    if (value > maxBytes) throw this.refusal(`text of ${value} bytes is over the bound of ${maxBytes}`);
    const text = utf8Text(this.take(value));
    if (text === undefined) throw this.refusal('text is not UTF-8');
    return text;
  }

  /** Nothing may follow. */
  end(): void {
    if (this.at !== this.buffer.length) throw this.refusal(`${this.buffer.length - this.at} bytes too many`);
  }

  /** Only zero bytes may follow (padding). */
  zerosToEnd(): void {
    for (; this.at < this.buffer.length; this.at++) {
      if (this.buffer[this.at] !== 0) throw this.refusal('padding that is not zero');
    }
  }

  private head(major: number, expected: string): number {
    const first = this.buffer[this.at];
    if (first === undefined) throw this.refusal('it ends too early');
    if (first >> 5 !== major) throw this.refusal(`${expected} expected at byte ${this.at}`);
    const size = { 24: 1, 25: 2, 26: 4, 27: 8 }[first & 31] ?? 0;
    if ((first & 31) > 27) throw this.refusal(`an indefinite or reserved length at byte ${this.at}`);
    if (this.at + 1 + size > this.buffer.length) throw this.refusal('it ends too early');
    const value = size === 0 ? first & 31 : this.argument(size);
    if (cborHeadSize(value) !== 1 + size)
      throw this.refusal(`a number not in its shortest form at byte ${this.at}`);
    this.at += 1 + size;
    return value;
  }

  private argument(size: number): number {
    if (size < 8) return this.buffer.readUIntBE(this.at + 1, size);
    const value = this.buffer.readUInt32BE(this.at + 1) * TWO_TO_32 + this.buffer.readUInt32BE(this.at + 5);
    if (!Number.isSafeInteger(value)) throw this.refusal(`a number over 2^53 − 1 at byte ${this.at}`);
    return value;
  }

  private take(length: number): Uint8Array {
    return new Uint8Array(this.view(length));
  }

  private view(length: number): Uint8Array {
    const { buffer, at } = this;
    if (at + length > buffer.length) throw this.refusal('it ends too early');
    this.at += length;
    return new Uint8Array(buffer.buffer, buffer.byteOffset + at, length);
  }

  private refusal(why: string): FirebreakError {
    return new FirebreakError('format', `${this.what}: ${why}`);
  }
}
