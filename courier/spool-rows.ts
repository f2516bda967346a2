/**
 * Rows of the spool's level folder.
 *
 *     0x00                         version 01 || writerId 16
 *     0x01 || id u64               entry: type u16 || timeMs u64 || payload
 *     0x02 || seq u64              batch: id u64 each
 *     0x03                         next id u64 || next seq u64: where numbering goes on when all else is gone
 *     0x04 || id u64               parked: 00
 *     0x05 || id u64               refused for good: reason u8 || entry
 */
import { asUnixMs } from '../protocol/brands.js';
import { ByteReader, ByteWriter, concat } from '../protocol/bytes.js';
import type { OutboundEntry, RefusedEntry } from './spool.js';

const VERSION = 1;
export const FORMAT_KEY = Uint8Array.of(0);
export const NUMBERS_KEY = Uint8Array.of(3);
export const ROW = { entry: 1, batch: 2, parked: 4, refused: 5 } as const;
export type RowKind = (typeof ROW)[keyof typeof ROW];
export const PARKED = Uint8Array.of(0);

export const formatOf = (writerId: Uint8Array): Uint8Array => concat(Uint8Array.of(VERSION), writerId);

export const keyOf = (kind: RowKind, number: number): Uint8Array =>
  new ByteWriter(9).u8(kind).u64(number).finish();
export const numberIn = (key: Uint8Array): number => new ByteReader(key.subarray(1), 'spool key').u64();

export function encodeEntryRow({ type, timeMs, payload }: OutboundEntry): Uint8Array {
  return new ByteWriter(10 + payload.length).u16(type).u64(timeMs).bytes(payload).finish();
}

export function decodeEntryRow(value: Uint8Array): OutboundEntry {
  const reader = new ByteReader(value, 'spooled entry');
  return { type: reader.u16(), timeMs: asUnixMs(reader.u64()), payload: reader.take(reader.remaining) };
}

export function encodeBatchRow(ids: readonly number[]): Uint8Array {
  const writer = new ByteWriter(8 * ids.length);
  for (const id of ids) writer.u64(id);
  return writer.finish();
}

export function decodeBatchRow(value: Uint8Array): number[] {
  const reader = new ByteReader(value, 'spooled batch');
  const ids: number[] = [];
  while (reader.remaining > 0) ids.push(reader.u64());
  return ids;
}

export interface SpoolNumbers {
  readonly nextId: number;
  readonly nextSeq: number;
}

export const encodeNumbers = ({ nextId, nextSeq }: SpoolNumbers): Uint8Array =>
  new ByteWriter(16).u64(nextId).u64(nextSeq).finish();

export function decodeNumbers(value: Uint8Array): SpoolNumbers {
  const reader = new ByteReader(value, 'spool numbers');
  const numbers = { nextId: reader.u64(), nextSeq: reader.u64() };
  reader.end();
  return numbers;
}

export const encodeRefusedRow = ({ reason, entry }: RefusedEntry): Uint8Array =>
  concat(Uint8Array.of(reason), encodeEntryRow(entry));

export function decodeRefusedRow(value: Uint8Array): RefusedEntry {
  return { reason: new ByteReader(value, 'refused entry').u8(), entry: decodeEntryRow(value.subarray(1)) };
}
