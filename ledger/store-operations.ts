/** A commit as the puts of one atomic level batch. Pure; the layout is store-keys.ts's. */
import { concat } from '../protocol/bytes.js';
import { bundleOf, TILE_WIDTH } from '../protocol/tile.js';
import { encodeDayRow } from './day-record.js';
import { encodeGatewayRecord } from './gateway-record.js';
import {
  batchKey,
  dayKey,
  gatewayKey,
  payloadIndexKey,
  payloadKey,
  segmentKey,
  STATE_KEY,
  tileKey,
} from './store-keys.js';
import { encodeBatchRow, encodePayloadRow } from './store-rows.js';
import { encodeStateRow } from './store-state.js';
import type { Commit, NewEntry } from './store.js';

export interface Put {
  readonly type: 'put';
  readonly key: Uint8Array;
  readonly value: Uint8Array;
}

/** Payloads are gathered into values of about this size: fewer puts when writing, little read for nothing when serving. */
const PAYLOAD_SEGMENT_BYTES = 65_536;

const put = (key: Uint8Array, value: Uint8Array): Put => ({ type: 'put', key, value });

/** One value for each run of entries within a bundle, so that a bundle is a range of values laid end to end. */
function entryPuts({ firstIndex, entries }: Commit): Put[] {
  const puts: Put[] = [];
  for (let at = 0; at < entries.length;) {
    const index = firstIndex + at;
    const room = TILE_WIDTH - (index % TILE_WIDTH);
    const run = entries.slice(at, at + room).map(({ entry }) => entry);
    puts.push(put(segmentKey(index), bundleOf(run)));
    at += run.length;
  }
  return puts;
}

interface Segment {
  readonly day: number;
  readonly firstIndex: number;
  readonly parts: Uint8Array[];
  bytes: number;
}

/** Adds a payload to the open segment of its day and says where it went. */
function place(open: Map<number, Segment>, closed: Segment[], entry: NewEntry, index: number): Put {
  const day = entry.retentionDay;
  const segment = open.get(day) ?? { day, firstIndex: index, parts: [], bytes: 0 };
  open.set(day, segment);
  const row = encodePayloadRow({
    type: entry.type,
    index,
    day,
    segment: segment.firstIndex,
    offset: segment.bytes,
    length: entry.payload.length,
  });
  segment.parts.push(entry.payload);
  segment.bytes += entry.payload.length;
  if (segment.bytes >= PAYLOAD_SEGMENT_BYTES) {
    open.delete(day);
    closed.push(segment);
  }
  return put(payloadIndexKey(entry.payloadSha256), row);
}

function payloadPuts({ firstIndex, entries }: Commit): Put[] {
  const open = new Map<number, Segment>();
  const closed: Segment[] = [];
  const rows: Put[] = [];
  entries.forEach((entry, i) => {
    if (entry.firstOfPayload) rows.push(place(open, closed, entry, firstIndex + i));
  });
  const segments = [...closed, ...open.values()];
  return [
    ...rows,
    ...segments.map(({ day, firstIndex, parts }) => put(payloadKey(day, firstIndex), concat(...parts))),
  ];
}

/**
 * The partial tile of level 0 is left out: it is the leaf hashes of entries stored anyway, and would be written anew
 * with every commit.
 */
function tilePuts({ tiles }: Commit): Put[] {
  return tiles
    .filter(({ level, width }) => level > 0 || width === TILE_WIDTH)
    .map(({ level, index, bytes }) => put(tileKey(level, index), bytes));
}

/** Everything of a commit; applied atomically or not at all. */
export function operationsOf(commit: Commit): Put[] {
  return [
    ...entryPuts(commit),
    ...payloadPuts(commit),
    ...tilePuts(commit),
    ...commit.batches.map((record) => put(batchKey(record.writerId, record.seq), encodeBatchRow(record))),
    ...commit.gateways.map((record) => put(gatewayKey(record.gatewayId), encodeGatewayRecord(record))),
    ...commit.days.map((record) => put(dayKey(record.day), encodeDayRow(record))),
    put(STATE_KEY, encodeStateRow(commit.state)),
  ];
}
