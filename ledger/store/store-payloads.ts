/**
 * Payloads as the store keeps them: values of some 64 KiB, each of one commit and one day.
 *
 *     value    payloads in the order of their entries: index u48 | length u32 | bytes
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/hash.js';
import type { FoundPayload, PrunedPayload } from '../../protocol/ledger-reader.js';
import { decodeDayRow } from './day-record.js';
import { dayKey, KEPT_DAY, payloadKey } from './store-keys.js';
import type { Database } from './store-open.js';
import type { PayloadRecord } from './store.js';

export const PAYLOAD_HEAD_BYTES = 10;
/** Entries this far apart at most are read in one go. */
const WINDOW = 1024;

export interface StoredPayload {
  readonly index: number;
  readonly payload: Uint8Array;
}

export function encodePayloadSegment(payloads: readonly StoredPayload[]): Uint8Array {
  const size = payloads.reduce((sum, { payload }) => sum + PAYLOAD_HEAD_BYTES + payload.length, 0);
  const value = Buffer.allocUnsafe(size);
  let at = 0;
  for (const { index, payload } of payloads) {
    value.writeUIntBE(index, at, 6);
    value.writeUInt32BE(payload.length, at + 6);
    value.set(payload, at + PAYLOAD_HEAD_BYTES);
    at += PAYLOAD_HEAD_BYTES + payload.length;
  }
  return value;
}

/** The payloads of a value, views of it. Throws `damaged` when it is cut short. */
export function decodePayloadSegment(value: Uint8Array): StoredPayload[] {
  const bytes = Buffer.from(value.buffer, value.byteOffset, value.length);
  const payloads: StoredPayload[] = [];
  for (let at = 0; at < bytes.length;) {
    const start = at + PAYLOAD_HEAD_BYTES;
    const end = start > bytes.length ? Infinity : start + bytes.readUInt32BE(at + 6);
    if (end > bytes.length) throw new FirebreakError('damaged', 'a segment of payloads is cut short');
    payloads.push({ index: bytes.readUIntBE(at, 6), payload: bytes.subarray(start, end) });
    at = end;
  }
  return payloads;
}

/** Entries of one day, near each other, whose payloads are wanted. */
interface Window {
  readonly day: number;
  readonly first: number;
  last: number;
}

function windowsOf(places: readonly PayloadRecord[]): Window[] {
  const windows: Window[] = [];
  const sorted = [...places].sort((a, b) => a.day - b.day || a.index - b.index);
  for (const { day, index } of sorted) {
    const open = windows.at(-1);
    if (open?.day === day && index - open.first < WINDOW) open.last = index;
    else windows.push({ day, first: index, last: index });
  }
  return windows;
}

/** Values from the one that holds the first index on, as far as the last index. */
async function readWindow(db: Database, { day, first, last }: Window): Promise<Uint8Array[]> {
  const before = { gte: payloadKey(day, 0), lte: payloadKey(day, first), reverse: true, limit: 1 };
  const after = { gt: payloadKey(day, first), lte: payloadKey(day, last) };
  const [head, rest] = await Promise.all([db.values(before).all(), db.values(after).all()]);
  return [...head, ...rest];
}

/** After the payloads, so that of a day pruned meanwhile either all bytes were read or the row says so. */
async function readPruned(
  db: Database,
  places: readonly PayloadRecord[],
): Promise<ReadonlyMap<number, PrunedPayload>> {
  const days = [...new Set(places.map(({ day }) => day))].filter((day) => day !== KEPT_DAY);
  const rows = await db.getMany(days.map(dayKey));
  return new Map(
    rows.flatMap((row, i) => {
      const day = days[i] ?? 0;
      const { pruned } = row ? decodeDayRow(row, day) : {};
      return pruned ? [[day, { day, prunedAtMs: pruned.atMs, prunedBy: pruned.by }] as const] : [];
    }),
  );
}

/**
 * The payloads of the entries at `places`, in order, copies; of one whose day is pruned what says so, whether its bytes are
 * still there or not; `undefined` for one never stored or lost.
 *
 * Throws `damaged` when the bytes stored are not those of the hash.
 */
export async function readPayloads(
  db: Database,
  hashes: readonly Uint8Array[],
  places: readonly (PayloadRecord | undefined)[],
): Promise<readonly FoundPayload[]> {
  const known = places.filter((place) => place !== undefined);
  const windows = windowsOf(known);
  const values = await Promise.all(windows.map((window) => readWindow(db, window)));
  const stored = new Map(
    values
      .flatMap((some) => some.flatMap(decodePayloadSegment))
      .map(({ index, payload }) => [index, payload]),
  );
  const pruned = await readPruned(db, known);
  return places.map((place, i) => {
    const gone = place && pruned.get(place.day);
    if (gone !== undefined) return gone;
    const payload = place && stored.get(place.index);
    if (place === undefined || payload === undefined) return undefined;
    if (equalBytes(sha256(payload), hashes[i] ?? payload)) return new Uint8Array(payload);
    throw new FirebreakError(
      'damaged',
      `the payload stored for entry ${place.index} is not the one that was logged`,
    );
  });
}
