/** Finds payloads in the files of their days, by the entries they came with. */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/hash.js';
import type { FoundPayload, PrunedPayload } from '../../protocol/ledger-reader.js';
import { decodeDayRow } from './day-record.js';
import type { PayloadFiles } from './payload-files.js';
import { dayKey, KEPT_DAY, payloadKey } from './store-keys.js';
import type { Database } from './store-open.js';
import { decodePayloadPlace, decodePayloadSegment, type StoredPayload } from './store-payloads.js';
import type { PayloadRecord } from './store.js';

/** Entries this far apart at most are read in one go. */
const WINDOW = 1024;

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

export interface PayloadStore {
  readonly db: Database;
  readonly files: PayloadFiles;
}

/** Rows from the one that has the first index on, as far as the last index; undefined when one cannot be read. */
async function readWindow(
  { db, files }: PayloadStore,
  { day, first, last }: Window,
): Promise<StoredPayload[] | undefined> {
  const before = { gte: payloadKey(day, 0), lte: payloadKey(day, first), reverse: true, limit: 1 };
  const after = { gt: payloadKey(day, first), lte: payloadKey(day, last) };
  const [head, rest] = await Promise.all([db.values(before).all(), db.values(after).all()]);
  const places = [...head, ...rest].map(decodePayloadPlace);
  const records = await Promise.all(places.map((place) => files.read(day, place)));
  if (records.some((bytes, i) => bytes.length !== places[i]?.length)) return undefined;
  try {
    return records.flatMap(decodePayloadSegment).filter(({ index }) => index >= first && index <= last);
  } catch (error) {
    if (error instanceof FirebreakError) return undefined;
    throw error;
  }
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
 * Throws `damaged` when the bytes stored are not those of the hash, or cannot be read.
 */
export async function readPayloads(
  store: PayloadStore,
  hashes: readonly Uint8Array[],
  places: readonly (PayloadRecord | undefined)[],
): Promise<readonly FoundPayload[]> {
  const known = places.filter((place) => place !== undefined);
  const windows = windowsOf(known);
  const read = await Promise.all(windows.map((window) => readWindow(store, window)));
  const pruned = await readPruned(store.db, known);
  const stored = new Map<number, Uint8Array>();
  read.forEach((payloads, i) => {
    const { day = 0, first = 0 } = windows[i] ?? {};
    if (payloads === undefined && !pruned.has(day))
      throw new FirebreakError('damaged', `the payloads stored for entry ${first} and on cannot be read`);
    for (const { index, payload } of payloads ?? []) stored.set(index, payload);
  });
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
