/**
 * An answer as JSON in pieces, so that one of many rows is written without holding up anything else: between two slices
 * the event loop goes round. Bytes are written in base64.
 */
import { setImmediate as letOthersGo } from 'node:timers/promises';

/** Characters of a slice, about; so long takes well under a millisecond. */
const SLICE = 65_536;
/** A multiple of three, so that the pieces of a base64 text join. */
const BASE64_BYTES = 49_152;
/** Lists this deep are written row by row, rows whole. */
const MAX_DEPTH = 3;

type Fields = readonly (readonly [name: string, value: unknown])[];

/** The value as JSON.stringify writes it, bytes apart. */
export function* jsonPieces(value: unknown, depth = 0): Generator<string, void, undefined> {
  if (value instanceof Uint8Array) yield* base64Pieces(value);
  else if (depth >= MAX_DEPTH || !isPlain(value)) yield JSON.stringify(value) ?? 'null';
  else if (Array.isArray(value)) yield* listPieces(value, depth);
  else yield* objectPieces(Object.entries(value), depth);
}

/** The pieces as slices of bytes; others have a turn after each. */
export async function* inSlices(pieces: Iterable<string>): AsyncGenerator<Buffer, void, undefined> {
  let text = '';
  for (const piece of pieces) {
    text += piece;
    if (text.length < SLICE) continue;
    yield Buffer.from(text);
    text = '';
    await letOthersGo();
  }
  if (text !== '') yield Buffer.from(text);
}

/** Bytes as slices that share their memory. */
export async function* byteSlices(bytes: Uint8Array): AsyncGenerator<Buffer, void, undefined> {
  for (let at = 0; at < bytes.length; at += SLICE) {
    yield Buffer.from(bytes.buffer, bytes.byteOffset + at, Math.min(SLICE, bytes.length - at));
    await letOthersGo();
  }
}

function* listPieces(list: readonly unknown[], depth: number): Generator<string, void, undefined> {
  let before = '[';
  for (const item of list) {
    yield before;
    yield* jsonPieces(item, depth + 1);
    before = ',';
  }
  yield list.length === 0 ? '[]' : ']';
}

function* objectPieces(fields: Fields, depth: number): Generator<string, void, undefined> {
  const told = fields.filter(([, value]) => value !== undefined);
  let before = '{';
  for (const [name, value] of told) {
    yield `${before}${JSON.stringify(name)}:`;
    yield* jsonPieces(value, depth + 1);
    before = ',';
  }
  yield told.length === 0 ? '{}' : '}';
}

function* base64Pieces(bytes: Uint8Array): Generator<string, void, undefined> {
  yield '"';
  for (let at = 0; at < bytes.length; at += BASE64_BYTES)
    yield Buffer.from(bytes.subarray(at, at + BASE64_BYTES)).toString('base64');
  yield '"';
}

/** A list, or an object that has no word of its own in how it is written. */
const isPlain = (value: unknown): value is object =>
  typeof value === 'object' && value !== null && !('toJSON' in value);
