/** Payloads by hash: where they lie, then the segments they lie in and what became of their days, each read once. */
import { sha256 } from '../protocol/hash.js';
import { equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import type { FoundPayload, PrunedPayload } from '../protocol/ledger-reader.js';
import { decodeDayRow } from './day-record.js';
import { dayKey, KEPT_DAY, payloadIndexKey, payloadKey } from './store-keys.js';
import { decodePayloadRow, type PayloadPlace } from './store-rows.js';

type GetMany = (keys: Uint8Array[]) => Promise<(Uint8Array | undefined)[]>;

const nameOf = ({ day, segment }: PayloadPlace): string => `${day}/${segment}`;

interface Ground {
  readonly segments: ReadonlyMap<string, Uint8Array>;
  readonly pruned: ReadonlyMap<number, PrunedPayload>;
}

function prunedIn(row: Uint8Array, day: number): PrunedPayload | undefined {
  const { pruned } = decodeDayRow(row, day);
  return pruned && { day, prunedAtMs: pruned.atMs, prunedBy: pruned.by };
}

/** One read, so that a day pruned meanwhile is either whole or pruned. */
async function readGround(places: readonly PayloadPlace[], getMany: GetMany): Promise<Ground> {
  const wanted = [...new Map(places.map((place) => [nameOf(place), place])).entries()];
  const days = [...new Set(places.map(({ day }) => day))].filter((day) => day !== KEPT_DAY);
  const values = await getMany([
    ...wanted.map(([, { day, segment }]) => payloadKey(day, segment)),
    ...days.map(dayKey),
  ]);
  const segments = new Map<string, Uint8Array>();
  wanted.forEach(([name], i) => {
    const value = values[i];
    if (value !== undefined) segments.set(name, value);
  });
  const pruned = new Map<number, PrunedPayload>();
  days.forEach((day, i) => {
    const row = values[wanted.length + i];
    const found = row && prunedIn(row, day);
    if (found) pruned.set(day, found);
  });
  return { segments, pruned };
}

/**
 * The payloads with these hashes, in order, copies; of one whose day is pruned what says so, whether its bytes are still
 * there or not; `undefined` for one never stored or lost.
 *
 * Throws `damaged` when the bytes stored are not those of the hash.
 */
export async function readPayloads(
  hashes: readonly Uint8Array[],
  getMany: GetMany,
): Promise<readonly FoundPayload[]> {
  if (hashes.length === 0) return [];
  const rows = await getMany(hashes.map(payloadIndexKey));
  const places = rows.map((row) => row && decodePayloadRow(row));
  const { segments, pruned } = await readGround(
    places.filter((place) => place !== undefined),
    getMany,
  );
  return places.map((place, i) => {
    if (place === undefined) return undefined;
    return pruned.get(place.day) ?? payloadIn(segments.get(nameOf(place)), place, hashes[i]);
  });
}

function payloadIn(
  segment: Uint8Array | undefined,
  { offset, length, index }: PayloadPlace,
  hash: Uint8Array | undefined,
): Uint8Array | undefined {
  if (segment === undefined) return undefined;
  const payload = segment.slice(offset, offset + length);
  if (hash !== undefined && equalBytes(sha256(payload), hash)) return payload;
  throw new FirebreakError('damaged', `the payload stored for entry ${index} is not the one that was logged`);
}
