/** Reads stored hashes through the tiles of a ledger (C2SP tlog-tiles): each tile once, all of them at once. */
import { FirebreakError } from './errors.js';
import type { LedgerReader } from './ledger-reader.js';
import { HASH_LENGTH, perfectRoot, type HashCoordinate, type HashReader } from './merkle.js';
import { tileOfHash } from './tile.js';

/**
 * A reader of the hashes of the log at `size`, a size for which the ledger published a checkpoint. The hashes are as
 * good as the ledger: check what is made of them against a signed root. Throws `damaged` for a tile of another
 * length, `not-found` for a hash the log does not have at that size.
 */
export function tileHashReader(reader: Pick<LedgerReader, 'tile'>, size: number): HashReader {
  return async (coordinates: readonly HashCoordinate[]) => {
    const places = coordinates.map((coordinate) => placeOf(coordinate, size));
    const tiles = new Map(places.map((tile) => [`${tile.level}/${tile.index}`, tile]));
    const read = [...tiles].map(async ([key, { level, index, width }]) => {
      const bytes = await reader.tile(level, index, width);
      if (bytes.length === width * HASH_LENGTH) return [key, bytes] as const;
      throw new FirebreakError(
        'damaged',
        `tile ${level}/${index} has ${bytes.length} bytes, not ${width * HASH_LENGTH}`,
      );
    });
    const contents = new Map(await Promise.all(read));
    return places.map(({ level, index, first, count }) => {
      const bytes = contents.get(`${level}/${index}`) ?? new Uint8Array();
      return perfectRoot(bytes.subarray(first * HASH_LENGTH, (first + count) * HASH_LENGTH));
    });
  };
}

function placeOf(coordinate: HashCoordinate, size: number): ReturnType<typeof tileOfHash> {
  const place = tileOfHash(coordinate, size);
  if (place.first + place.count <= place.width) return place;
  throw new FirebreakError(
    'not-found',
    `a log of ${size} entries has no hash ${coordinate.level}/${coordinate.index}`,
  );
}
