/** Payloads by hash: where they lie, then the segments they lie in, each read once. */
import { sha256 } from '../protocol/hash.js';
import { equalBytes } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';
import { payloadIndexKey, payloadKey } from './store-keys.js';
import { decodePayloadRow, type PayloadPlace } from './store-rows.js';

type GetMany = (keys: Uint8Array[]) => Promise<(Uint8Array | undefined)[]>;

const nameOf = ({ day, segment }: PayloadPlace): string => `${day}/${segment}`;

async function readSegments(
  places: readonly PayloadPlace[],
  getMany: GetMany,
): Promise<Map<string, Uint8Array>> {
  const wanted = [...new Map(places.map((place) => [nameOf(place), place])).entries()];
  const values = await getMany(wanted.map(([, { day, segment }]) => payloadKey(day, segment)));
  const found = new Map<string, Uint8Array>();
  wanted.forEach(([name], i) => {
    const value = values[i];
    if (value !== undefined) found.set(name, value);
  });
  return found;
}

/**
 * The payloads with these hashes, in order, copies; `undefined` for one never stored or pruned with its day.
 *
 * Throws `damaged` when the bytes stored are not those of the hash.
 */
export async function readPayloads(
  hashes: readonly Uint8Array[],
  getMany: GetMany,
): Promise<readonly (Uint8Array | undefined)[]> {
  if (hashes.length === 0) return [];
  const rows = await getMany(hashes.map(payloadIndexKey));
  const places = rows.map((row) => row && decodePayloadRow(row));
  const segments = await readSegments(
    places.filter((place) => place !== undefined),
    getMany,
  );
  return places.map((place, i) => {
    const segment = place && segments.get(nameOf(place));
    if (place === undefined || segment === undefined) return undefined;
    const payload = segment.slice(place.offset, place.offset + place.length);
    if (equalBytes(sha256(payload), hashes[i] ?? payload)) return payload;
    throw new FirebreakError(
      'damaged',
      `the payload stored for entry ${place.index} is not the one that was logged`,
    );
  });
}
