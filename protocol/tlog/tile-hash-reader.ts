/** Reads stored hashes through the tiles of a ledger (C2SP tlog-tiles): each tile once, all of them at once. */
import { FirebreakError } from '../errors.js';
import type { LedgerReader } from './ledger-reader.js';
import type { HashCoordinate, HashReader } from './merkle.js';
import { tileOfHash, type Tile } from './tile.js';
import { TileTree } from './tile-tree.js';

/**
 * Tiles kept, 17 KB each. A log of ten million entries has 154 above the lowest level, and each proof needs
 * two of them.
 */
const MAX_KEPT = 256;

/**
 * A reader of the hashes of the log at `size`, a size for which the ledger published a checkpoint. Tiles
 * above the lowest level are kept for the next call. The hashes are unchecked: hold what is made of them
 * against a signed root. Throws `damaged` for a tile of another length, `not-found` for a hash the log does
 * not have at that size.
 */
export function tileHashReader(reader: Pick<LedgerReader, 'tile'>, size: number): HashReader {
  const kept = new Map<string, TileTree>();
  const treeOf = async (tile: Tile): Promise<TileTree> => {
    const name = nameOf(tile);
    const before = kept.get(name);
    if (before !== undefined) return before;
    const tree = new TileTree(tile, await reader.tile(tile.level, tile.index, tile.width));
    if (tile.level > 0) kept.set(name, tree);
    const [oldest] = kept.size > MAX_KEPT ? kept.keys() : [];
    if (oldest !== undefined) kept.delete(oldest);
    return tree;
  };
  return async (coordinates: readonly HashCoordinate[]) => {
    const places = coordinates.map((coordinate) => placeOf(coordinate, size));
    const tiles = new Map(places.map((tile) => [nameOf(tile), tile]));
    const read = [...tiles].map(async ([name, tile]) => [name, await treeOf(tile)] as const);
    const trees = new Map(await Promise.all(read));
    return places.map((place) => (trees.get(nameOf(place)) as TileTree).root(place.first, place.count));
  };
}

const nameOf = ({ level, index }: Tile): string => `${level}/${index}`;

function placeOf(coordinate: HashCoordinate, size: number): ReturnType<typeof tileOfHash> {
  const place = tileOfHash(coordinate, size);
  if (place.first + place.count <= place.width) return place;
  throw new FirebreakError(
    'not-found',
    `a log of ${size} entries has no hash ${coordinate.level}/${coordinate.index}`,
  );
}
