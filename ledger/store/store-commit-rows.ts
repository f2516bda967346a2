/** A commit as the rows it puts into the store, few and large. Pure; the layout is store-keys.ts's. */
import { TILE_WIDTH } from '../../protocol/tlog/tile.js';
import { encodeDayRow } from './day-record.js';
import { encodeGatewayRecord } from './gateway-record.js';
import type { Row } from './journal-frames.js';
import { encodePayloadSegment, PAYLOAD_HEAD_BYTES, PAYLOAD_SEGMENT_BYTES } from './store-payloads.js';
import { batchKey, dayKey, gatewayKey, payloadKey, segmentKey, tileKey } from './store-keys.js';
import { encodeBatchRow } from './store-rows.js';
import { encodeEntrySegment } from './store-segments.js';
import type { Commit, NewEntry } from './store.js';

/** Takes the next `length` bytes of a day's file of payloads; gives where they begin. */
export type Reserve = (day: number, length: number) => number;

/** One value for each run of entries within a bundle, so that a bundle is a range of values laid end to end. */
function entryRows({ firstIndex, entries }: Commit): Row[] {
  const rows: Row[] = [];
  for (let at = 0; at < entries.length;) {
    const index = firstIndex + at;
    const room = TILE_WIDTH - (index % TILE_WIDTH);
    const run = entries.slice(at, at + room);
    rows.push({ key: segmentKey(index), value: encodeEntrySegment(run) });
    at += run.length;
  }
  return rows;
}

interface OpenSegment {
  readonly day: number;
  readonly payloads: { readonly index: number; readonly payload: Uint8Array }[];
  bytes: number;
}

const payloadRow = ({ day, payloads, bytes }: OpenSegment, reserve: Reserve): Row => ({
  key: payloadKey(day, payloads[0]?.index ?? 0),
  value: encodePayloadSegment(reserve(day, bytes), payloads),
});

/** Payloads by their day, those that are new to the log. */
function payloadRows({ firstIndex, entries }: Commit, reserve: Reserve): Row[] {
  const open = new Map<number, OpenSegment>();
  const rows: Row[] = [];
  const place = ({ retentionDay: day, payload }: NewEntry, index: number): void => {
    let segment = open.get(day);
    if (segment === undefined) open.set(day, (segment = { day, payloads: [], bytes: 0 }));
    segment.payloads.push({ index, payload });
    segment.bytes += PAYLOAD_HEAD_BYTES + payload.length;
    if (segment.bytes < PAYLOAD_SEGMENT_BYTES) return;
    rows.push(payloadRow(segment, reserve));
    open.delete(day);
  };
  entries.forEach((entry, i) => {
    if (entry.firstOfPayload) place(entry, firstIndex + i);
  });
  for (const segment of open.values()) rows.push(payloadRow(segment, reserve));
  return rows;
}

const tileRows = ({ tiles }: Commit): Row[] =>
  tiles.map(({ level, index, bytes }) => ({ key: tileKey(level, index), value: bytes }));

/** Every row of a commit but the state row, as the journal holds them. */
export function rowsOf(commit: Commit, reserve: Reserve): Row[] {
  return [
    ...payloadRows(commit, reserve),
    ...entryRows(commit),
    ...tileRows(commit),
    ...commit.batches.map((record) => ({
      key: batchKey(record.writerId, record.seq),
      value: encodeBatchRow(record),
    })),
    ...commit.gateways.map((record) => ({
      key: gatewayKey(record.gatewayId),
      value: encodeGatewayRecord(record),
    })),
    ...commit.days.map((record) => ({ key: dayKey(record.day), value: encodeDayRow(record) })),
  ];
}
