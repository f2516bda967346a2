/**
 * Payloads as the store keeps them: in one file for each day that is pruned together (payload-files.ts),
 * records in the order of their entries. Rows of the database say where: one for some 64 KiB of records, from
 * one commit or several small ones. In the journal such a row has the records themselves behind it.
 *
 *     record        index u48 | length u32 | bytes
 *     row           offset u48 | bytes of records u32
 *     in a frame    offset u48 | records
 */
import { asBuffer } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { Row } from './journal-frames.js';
import { dayOfKey } from './store-keys.js';

export const PAYLOAD_HEAD_BYTES = 10;
/** Bytes of records that one row stands for, about. */
export const PAYLOAD_SEGMENT_BYTES = 65_536;
const OFFSET_BYTES = 6;
const PLACE_BYTES = OFFSET_BYTES + 4;

export interface StoredPayload {
  readonly index: number;
  readonly payload: Uint8Array;
}

/** Where records are in the file of their day. */
export interface PayloadPlace {
  readonly offset: number;
  readonly length: number;
}

/** The value of a row in a frame. */
export function encodePayloadSegment(offset: number, payloads: readonly StoredPayload[]): Uint8Array {
  let size = OFFSET_BYTES;
  for (const { payload } of payloads) size += PAYLOAD_HEAD_BYTES + payload.length;
  const value = Buffer.allocUnsafe(size);
  value.writeUIntBE(offset, 0, OFFSET_BYTES);
  let at = OFFSET_BYTES;
  for (const { index, payload } of payloads) {
    value.writeUIntBE(index, at, 6);
    value.writeUInt32BE(payload.length, at + 6);
    value.set(payload, at + PAYLOAD_HEAD_BYTES);
    at += PAYLOAD_HEAD_BYTES + payload.length;
  }
  return value;
}

/** The records of a row in a frame, as they go into the file of their day. */
export interface PayloadPiece {
  readonly day: number;
  readonly offset: number;
  readonly records: Buffer;
}

export function pieceOf({ key, value }: Row): PayloadPiece {
  const bytes = asBuffer(value);
  return {
    day: dayOfKey(key),
    offset: bytes.readUIntBE(0, OFFSET_BYTES),
    records: bytes.subarray(OFFSET_BYTES),
  };
}

/** What the database keeps of a row in a frame. */
export function placeRowOf(row: Row): Row {
  const { offset, records } = pieceOf(row);
  const value = Buffer.allocUnsafe(PLACE_BYTES);
  value.writeUIntBE(offset, 0, OFFSET_BYTES);
  value.writeUInt32BE(records.length, OFFSET_BYTES);
  return { key: row.key, value };
}

/** Throws `damaged` when the row cannot be one. */
export function decodePayloadPlace(value: Uint8Array): PayloadPlace {
  if (value.length !== PLACE_BYTES) throw new FirebreakError('damaged', 'a place of payloads is cut short');
  const bytes = asBuffer(value);
  return { offset: bytes.readUIntBE(0, OFFSET_BYTES), length: bytes.readUInt32BE(OFFSET_BYTES) };
}

/** Small rows of frames that follow one another, as fewer: of each day those whose records are next to each other. */
export function joinPayloadRows(rows: readonly Row[]): Row[] {
  const joined: Row[] = [];
  const open = new Map<number, { readonly parts: [Row, ...Row[]]; bytes: number }>();
  for (const row of rows) {
    const day = dayOfKey(row.key);
    const run = open.get(day);
    if (run !== undefined && run.bytes < PAYLOAD_SEGMENT_BYTES) {
      run.parts.push(row);
      run.bytes += row.value.length;
      continue;
    }
    if (run !== undefined) joined.push(joinParts(run.parts));
    open.set(day, { parts: [row], bytes: row.value.length });
  }
  return [...joined, ...Array.from(open.values(), ({ parts }) => joinParts(parts))];
}

function joinParts([first, ...rest]: [Row, ...Row[]]): Row {
  if (rest.length === 0) return first;
  const value = Buffer.concat([first.value, ...rest.map(({ value }) => value.subarray(OFFSET_BYTES))]);
  return { key: first.key, value };
}

/** Payloads of records that lie one after the other, views of them. Throws `damaged` when they cannot be told apart. */
export function decodePayloadSegment(records: Uint8Array): readonly StoredPayload[] {
  const { payloads, isWhole } = decodeWholeRecords(records);
  if (!isWhole) throw new FirebreakError('damaged', 'a segment of payloads is cut short or out of order');
  return payloads;
}

export interface WholeRecords {
  readonly payloads: readonly StoredPayload[];
  /** Nothing is behind them. */
  readonly isWhole: boolean;
}

/** The same up to the first record that is not all there, or not of a later entry: zeros read as records too. */
export function decodeWholeRecords(records: Uint8Array): WholeRecords {
  const bytes = asBuffer(records);
  const payloads: StoredPayload[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + PAYLOAD_HEAD_BYTES;
    const end = start > bytes.length ? Infinity : start + bytes.readUInt32BE(at + 6);
    if (end > bytes.length) return { payloads, isWhole: false };
    const index = bytes.readUIntBE(at, 6);
    if (index <= (payloads.at(-1)?.index ?? -1)) return { payloads, isWhole: false };
    payloads.push({ index, payload: bytes.subarray(start, end) });
    at = end;
  }
  return { payloads, isWhole: true };
}
