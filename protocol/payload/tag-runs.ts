/**
 * Tag numbers in ascending order, as few bytes as they need: the first as it is, each further one as the
 * distance from the one before, in groups of seven bits, lowest first, the top bit of a byte set when another
 * follows (LEB128, shortest form). A million tags of a city that were numbered one after the other take a
 * byte each.
 */
import { FirebreakError } from '../errors.js';

const MAX_TAG = 2 ** 48 - 1;
const TWO_TO_28 = 2 ** 28;
const MAX_VARINT_BYTES = 7;

/** Ascending and distinct; the narrower where all numbers fit. */
export type TagList = Uint32Array | Float64Array;

/** The numbers as a list. Throws `format` unless they are whole, 0 to 2^48 − 1, ascending and distinct. */
export function tagList(numbers: ArrayLike<number>): Float64Array {
  const tags = new Float64Array(numbers.length);
  let before = -1;
  for (let k = 0; k < tags.length; k += 1) {
    const tag = numbers[k] ?? 0;
    tags[k] = tag;
    if (!(tag > before) || tag > MAX_TAG || tag !== Math.floor(tag))
      throw new FirebreakError('format', 'the tags of an access record ascend, and none is there twice');
    before = tag;
  }
  return tags;
}

/**
 * Writes tags from `tags[from]` on, as many as `into` has room for: the index of the first that was left out,
 * and the bytes taken.
 */
export function writeTagRun(
  tags: TagList,
  from: number,
  into: Uint8Array,
): { readonly next: number; readonly bytes: number } {
  let at = 0;
  let before = 0;
  let next = from;
  for (; next < tags.length; next += 1) {
    const tag = tags[next] ?? 0;
    let rest = tag - before; // before is 0 for the first
    if (at + MAX_VARINT_BYTES > into.length && at + varintBytes(rest) > into.length) break;
    if (rest >= TWO_TO_28) {
      const low = rest % TWO_TO_28;
      for (let shift = 0; shift < 28; shift += 7) into[at++] = (low >>> shift) | 128; // a byte keeps the last 8 bits
      rest = (rest - low) / TWO_TO_28;
    }
    for (; rest >= 128; rest >>>= 7) into[at++] = rest | 128;
    into[at++] = rest;
    before = tag;
  }
  return { next, bytes: at };
}

function varintBytes(value: number): number {
  let bytes = 1;
  for (let rest = value; rest >= 128; rest = Math.floor(rest / 128)) bytes += 1;
  return bytes;
}

/**
 * Reads `count` tags from the beginning of `bytes`: the tags, and the bytes they took. Throws `format` for
 * anything that {@link writeTagRun} would not have written.
 */
export function readTagRun(
  bytes: Uint8Array,
  count: number,
): { readonly tags: TagList; readonly bytes: number } {
  if (count > bytes.length) throw malformed('more tags than there are bytes');
  const tags = new Float64Array(count);
  let at = 0;
  let tag = 0;
  for (let k = 0; k < count; k += 1) {
    const start = at;
    let byte = bytes[at++] ?? NONE;
    let step = byte & 127;
    for (let scale = 128; byte >= 128 && byte !== NONE; scale *= 128) {
      byte = bytes[at++] ?? NONE;
      step += (byte & 127) * scale;
    }
    requireVarint(byte, at - start, step, k > 0);
    tag += step;
    tags[k] = tag;
  }
  if (tag > MAX_TAG) throw malformed('a number over 2^48 − 1'); // they ascend: the last is the greatest
  return { tags: tag < 2 ** 32 ? new Uint32Array(tags) : tags, bytes: at };
}

/** Stands for the byte after the last. */
const NONE = 256;

function requireVarint(lastByte: number, length: number, step: number, isStep: boolean): void {
  if (lastByte === NONE) throw malformed('they end too early');
  if (length > MAX_VARINT_BYTES) throw malformed('a number over 2^48 − 1');
  if (length > 1 && lastByte === 0) throw malformed('a number not in its shortest form');
  if (isStep && step === 0) throw malformed('one is there twice');
}

/** Whether a list holds this tag. */
export function holdsTag(tags: TagList, tag: number): boolean {
  let [low, high] = [0, tags.length];
  while (low < high) {
    const middle = (low + high) >>> 1;
    if ((tags[middle] ?? 0) < tag) low = middle + 1;
    else high = middle;
  }
  return tags[low] === tag;
}

const malformed = (why: string): FirebreakError =>
  new FirebreakError('format', `the tags of an access record: ${why}`);
