/** Bytes: joining, comparing, hex, and big-endian reading and writing (protocol.md §2). */
import { FirebreakError } from './errors.js';

/** The same bytes as a Buffer: a view, no copy. */
export const asBuffer = (bytes: Uint8Array): Buffer =>
  Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length);

export function concat(...parts: readonly Uint8Array[]): Uint8Array {
  let length = 0;
  for (const part of parts) length += part.length;
  const joined = new Uint8Array(length);
  let offset = 0;
  for (const part of parts) {
    joined.set(part, offset);
    offset += part.length;
  }
  return joined;
}

/** Not constant-time: for public bytes only. */
export function equalBytes(a: Uint8Array, b: Uint8Array): boolean {
  return a.length === b.length && Buffer.compare(a, b) === 0;
}

export function isZero(bytes: Uint8Array): boolean {
  for (let i = 0; i < bytes.length; i++) if (bytes[i] !== 0) return false;
  return true;
}

export function toHex(bytes: Uint8Array): string {
  return asBuffer(bytes).toString('hex');
}

/** Throws `format` for anything but an even number of hex digits. */
export function fromHex(text: string): Uint8Array {
  if (text.length % 2 !== 0 || !/^[0-9a-fA-F]*$/.test(text))
    throw new FirebreakError('format', 'not hex digits');
  return new Uint8Array(Buffer.from(text, 'hex'));
}

const domains = new Map<string, Uint8Array>();

/** D(s): the ASCII of s and one zero byte (protocol.md §2). The same bytes each time: do not change them. */
export function domain(text: string): Uint8Array {
  const known = domains.get(text);
  if (known) return known;
  const made = new Uint8Array(Buffer.from(`${text}\0`, 'latin1'));
  domains.set(text, made);
  return made;
}

/** Reads fields in order; `what` names the message in errors. Throws `format` when bytes run out or are left over. */
export class ByteReader {
  readonly #view: DataView;
  readonly #bytes: Uint8Array;
  readonly #what: string;
  #offset = 0;

  constructor(bytes: Uint8Array, what: string) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    this.#what = what;
  }

  get remaining(): number {
    return this.#bytes.length - this.#offset;
  }

  u8(): number {
    return this.#view.getUint8(this.#advance(1));
  }

  i8(): number {
    return this.#view.getInt8(this.#advance(1));
  }

  u16(): number {
    return this.#view.getUint16(this.#advance(2));
  }

  u32(): number {
    return this.#view.getUint32(this.#advance(4));
  }

  u48(): number {
    return this.u16() * 2 ** 32 + this.u32();
  }

  /** A u64 as a number. Throws `format` above 2^53 − 1. */
  u64(): number {
    const value = this.u32() * 2 ** 32 + this.u32();
    if (!Number.isSafeInteger(value))
      throw new FirebreakError('format', `${this.#what} holds a number too large`);
    return value;
  }

  /** A copy of the next bytes. */
  take(length: number): Uint8Array {
    const start = this.#advance(length);
    return new Uint8Array(this.#bytes.subarray(start, start + length)); // slice() of a Buffer would be a view
  }

  /** The next bytes without copying them: what is read from may not change afterwards. */
  view(length: number): Uint8Array {
    const start = this.#advance(length);
    return this.#bytes.subarray(start, start + length);
  }

  end(): void {
    if (this.remaining !== 0)
      throw new FirebreakError('format', `${this.#what} has ${this.remaining} bytes too many`);
  }

  #advance(length: number): number {
    const start = this.#offset;
    if (this.remaining < length) throw new FirebreakError('format', `${this.#what} ends too early`);
    this.#offset += length;
    return start;
  }
}

/** Writes fields in order into exactly `size` bytes. */
export class ByteWriter {
  readonly #bytes: Uint8Array;
  readonly #view: DataView;
  #offset = 0;

  constructor(size: number) {
    this.#bytes = new Uint8Array(size);
    this.#view = new DataView(this.#bytes.buffer);
  }

  u8(value: number): this {
    this.#view.setUint8(this.#advance(1, value, 0, 0xff), value);
    return this;
  }

  i8(value: number): this {
    this.#view.setInt8(this.#advance(1, value, -128, 127), value);
    return this;
  }

  u16(value: number): this {
    this.#view.setUint16(this.#advance(2, value, 0, 0xffff), value);
    return this;
  }

  u32(value: number): this {
    this.#view.setUint32(this.#advance(4, value, 0, 0xffff_ffff), value);
    return this;
  }

  u48(value: number): this {
    return this.u16(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  u64(value: number): this {
    return this.u32(Math.floor(value / 2 ** 32)).u32(value % 2 ** 32);
  }

  bytes(value: Uint8Array): this {
    this.#bytes.set(value, this.#offset);
    this.#offset += value.length;
    return this;
  }

  finish(): Uint8Array {
    if (this.#offset !== this.#bytes.length)
      throw new RangeError(`${this.#bytes.length - this.#offset} bytes not written`);
    return this.#bytes;
  }

  #advance(length: number, value: number, min: number, max: number): number {
    if (!Number.isInteger(value) || value < min || value > max) {
      throw new RangeError(`${value} does not fit ${length} bytes`);
    }
    const start = this.#offset;
    this.#offset += length;
    return start;
  }
}
