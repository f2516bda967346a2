/**
 * The right edge of a growing log: its compact range and its partial tiles. Leaves go in, tiles to write come
 * out, and no hash is computed twice: the subtrees that tiles of a higher level hold are those the compact
 * range completes anyway.
 */
import { compactRangeOf, type CompactRange } from './compact-range.js';
import type { TreeSize } from '../brands.js';
import type { LedgerReader } from './ledger-reader.js';
import { HASH_LENGTH, planRoot } from './merkle.js';
import { partialTiles, TILE_HEIGHT, TILE_WIDTH, type Tile } from './tile.js';
import { tileHashReader } from './tile-hash-reader.js';

/** A tile and its bytes, `width` hashes of 32. */
export interface TileBytes extends Tile {
  readonly bytes: Uint8Array;
}

/** The tile of a level that is being filled. */
interface EdgeTile {
  index: number;
  width: number;
  changed: boolean;
  readonly hashes: Buffer;
}

const newEdgeTile = (): EdgeTile => ({
  index: 0,
  width: 0,
  changed: false,
  hashes: Buffer.alloc(TILE_WIDTH * HASH_LENGTH),
});

export class TileEdge {
  private readonly range: CompactRange;
  private readonly levels: EdgeTile[] = [];
  private full: TileBytes[] = [];

  constructor(range: CompactRange, partial: readonly TileBytes[]) {
    this.range = range;
    for (const { level, index, width, bytes } of partial) {
      const tile = this.levelTile(level);
      tile.hashes.set(bytes);
      Object.assign(tile, { index, width });
    }
    // A level without a partial tile goes on after its full ones.
    for (let level = 0; TILE_WIDTH ** (level + 1) <= range.size; level++) {
      this.levelTile(level).index = Math.floor(range.size / TILE_WIDTH ** (level + 1));
    }
  }

  get size(): TreeSize {
    return this.range.size;
  }

  root(): Uint8Array {
    return this.range.root();
  }

  append(leaf: Uint8Array): void {
    this.range.append(leaf, this.keep);
  }

  /**
   * The tiles that changed since the last call: the full ones, then the partial ones of level `partialFrom`
   * and up as they stand. Each is a copy.
   */
  takeChanged(partialFrom = 0): TileBytes[] {
    const taken = this.full;
    this.full = [];
    this.levels.forEach((tile, level) => {
      if (tile.changed && tile.width > 0 && level >= partialFrom) taken.push(tileBytes(level, tile));
      tile.changed = false;
    });
    return taken;
  }

  /** The tiles that became full since full ones were last taken; each is a copy. */
  takeFull(): TileBytes[] {
    const taken = this.full;
    this.full = [];
    return taken;
  }

  /** The partial tiles as they stand, by level; each is a copy. */
  partial(): TileBytes[] {
    return this.levels.flatMap((tile, level) => (tile.width > 0 ? [tileBytes(level, tile)] : []));
  }

  private readonly keep = (level: number, subtreeHash: Uint8Array): void => {
    if (level % TILE_HEIGHT !== 0) return;
    const tileLevel = level / TILE_HEIGHT;
    const tile = this.levelTile(tileLevel);
    tile.hashes.set(subtreeHash, tile.width * HASH_LENGTH);
    tile.width += 1;
    tile.changed = true;
    if (tile.width < TILE_WIDTH) return;
    this.full.push(tileBytes(tileLevel, tile));
    Object.assign(tile, { index: tile.index + 1, width: 0 });
  };

  private levelTile(level: number): EdgeTile {
    return (this.levels[level] ??= newEdgeTile());
  }
}

function tileBytes(level: number, { index, width, hashes }: EdgeTile): TileBytes {
  return { level, index, width, bytes: new Uint8Array(hashes.subarray(0, width * HASH_LENGTH)) };
}

/** The edge of a stored log of `size` entries: one batched read of its partial tiles and compact range. */
export async function readTileEdge(reader: Pick<LedgerReader, 'tile'>, size: number): Promise<TileEdge> {
  const [partial, hashes] = await Promise.all([
    Promise.all(
      partialTiles(size).map(async (tile) => ({
        ...tile,
        bytes: await reader.tile(tile.level, tile.index, tile.width),
      })),
    ),
    tileHashReader(reader, size)(planRoot(size).coordinates),
  ]);
  return new TileEdge(compactRangeOf(size, hashes), partial);
}
