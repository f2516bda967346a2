/**
 * Secrets that are at hand, looked for in bytes: as they are, as hex in either case, and as base64 and base64url, also inside
 * a longer text and over its line breaks. What is searched is not copied and no text of a secret is made a string, which
 * could not be overwritten.
 *
 * Every {@link STRIDE}th word of four bytes is looked up among those of all forms of all secrets, so that many of them cost
 * as much as one. A word that is known is compared on to both sides.
 */

/** From the first byte to the one after the last. */
export type Span = readonly [start: number, end: number];

export interface Secret {
  readonly day: number;
  readonly bytes: Uint8Array;
}

export interface FoundSecret {
  readonly day: number;
  /** The bytes that hold it, without the line breaks in between. */
  readonly spans: readonly Span[];
}

/** Less than this of a form is no find: 64 bits in hex. Lines of 32 characters or more leave a piece as long. */
const SHORTEST = 16;
const WORD = 4;
const STRIDE = SHORTEST - WORD + 1;
const TABLE_BITS = 18;
const SPREAD = 0x9e3779b1;

/** Line break and indentation inside a text. */
const MAX_GAP = 8;
/** No find is longer: hex with the longest gap between any two digits. */
export const LONGEST_FIND = 64 * (1 + MAX_GAP);

interface Form {
  readonly day: number;
  readonly bytes: Uint8Array;
  readonly isText: boolean;
}

interface Place {
  readonly form: Form;
  readonly at: number;
}

export interface SecretSearch {
  /** Those of which a word was met before `limit`; the same may come more than once. */
  find(bytes: Uint8Array, limit: number): readonly FoundSecret[];
  /** Wipes what it knows of the secrets; it finds none any more. */
  close(): void;
}

export function secretSearch(secrets: readonly Secret[]): SecretSearch {
  const forms = secrets.flatMap(formsOf);
  const table = new Uint8Array(1 << TABLE_BITS);
  const places = new Map<number, Place[]>();
  for (const form of forms) {
    for (let at = 0; at + WORD <= form.bytes.length; at++) {
      const word = wordAt(form.bytes, at);
      table[slotOf(word)] = 1;
      places.set(word, [...(places.get(word) ?? []), { form, at }]);
    }
  }
  return {
    find: (bytes, limit) => (places.size === 0 ? [] : findAll(bytes, limit, table, places)),
    close: () => {
      for (const { bytes } of forms) bytes.fill(0);
      places.clear();
    },
  };
}

const wordAt = (bytes: Uint8Array, at: number): number =>
  byteAt(bytes, at) |
  (byteAt(bytes, at + 1) << 8) |
  (byteAt(bytes, at + 2) << 16) |
  (byteAt(bytes, at + 3) << 24);
const byteAt = (bytes: Uint8Array, at: number): number => bytes[at] ?? 0;
const slotOf = (word: number): number => Math.imul(word, SPREAD) >>> (32 - TABLE_BITS);

function findAll(
  bytes: Uint8Array,
  limit: number,
  table: Uint8Array,
  places: ReadonlyMap<number, readonly Place[]>,
): readonly FoundSecret[] {
  const found: FoundSecret[] = [];
  const end = Math.min(limit, bytes.length - WORD + 1);
  for (let i = 0; i < end; i += STRIDE) {
    const word = wordAt(bytes, i);
    if (table[slotOf(word)] === 0) continue;
    for (const { form, at } of places.get(word) ?? []) {
      const before = matchedFrom(bytes, i - 1, form, at - 1, -1);
      const after = matchedFrom(bytes, i, form, at, 1);
      const all = [...before, ...after];
      if (all.length >= SHORTEST)
        found.push({ day: form.day, spans: all.map((one): Span => [one, one + 1]) });
    }
  }
  return found;
}

/** Where the bytes of the form stand from there on, in one direction, until one is another. */
function matchedFrom(bytes: Uint8Array, i: number, form: Form, at: number, step: 1 | -1): number[] {
  const where: number[] = [];
  let gap = 0;
  for (let pos = i; at >= 0 && at < form.bytes.length; pos += step) {
    if (bytes[pos] === form.bytes[at]) {
      where.push(pos);
      at += step;
      gap = 0;
    } else if (!form.isText || !isSpace(bytes[pos]) || ++gap > MAX_GAP) break;
  }
  return where;
}

/** Space, tab, line feed, carriage return. */
const isSpace = (byte: number | undefined): boolean =>
  byte === 0x20 || byte === 0x09 || byte === 0x0a || byte === 0x0d;

const DIGITS = '0123456789';
const LOWER = 'abcdefghijklmnopqrstuvwxyz';
const UPPER = LOWER.toUpperCase();
const HEX = [`${DIGITS}abcdef`, `${DIGITS}ABCDEF`];
/** RFC 4648 §4 and §5. */
const BASE64 = ['+/', '-_'].map((rest) => `${UPPER}${LOWER}${DIGITS}${rest}`);
/** Bits of a secret before its first whole character, by where in a group of three bytes it begins. */
const BASE64_SKIPS = [0, 4, 2];

function formsOf({ day, bytes }: Secret): readonly Form[] {
  const texts = [
    ...HEX.map((alphabet) => written(bytes, 0, 4, alphabet)),
    ...BASE64.flatMap((alphabet) => BASE64_SKIPS.map((skip) => written(bytes, skip, 6, alphabet))),
  ];
  return [
    { day, bytes: bytes.slice(), isText: false },
    ...texts.map((text) => ({ day, bytes: text, isText: true })),
  ];
}

/** The whole characters of `bits` bits each after the first `skip` bits. */
function written(bytes: Uint8Array, skip: number, bits: number, alphabet: string): Uint8Array {
  const text = new Uint8Array(Math.floor((bytes.length * 8 - skip) / bits));
  for (const k of text.keys()) {
    const bit = skip + k * bits;
    const pair = (byteAt(bytes, bit >> 3) << 8) | byteAt(bytes, (bit >> 3) + 1);
    text[k] = alphabet.charCodeAt((pair >> (16 - bits - (bit & 7))) & ((1 << bits) - 1));
  }
  return text;
}
