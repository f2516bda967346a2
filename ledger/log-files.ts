/** Which files a log of some size is as a static C2SP folder: its tiles and bundles, of partial ones only the current. */
import {
  entriesPath,
  TILE_WIDTH,
  tilePath,
  tilesBetween,
  tileWidthAt,
  type TileAddress,
} from '../protocol/tile.js';

export interface LogFile {
  readonly path: string;
  readonly address: TileAddress;
}

/** The files that a log grows by from `oldSize` to `newSize`, entries first. */
export function* filesBetween(oldSize: number, newSize: number): Generator<LogFile> {
  for (let index = Math.floor(oldSize / TILE_WIDTH); index * TILE_WIDTH < newSize; index++) {
    const width = tileWidthAt(0, index, newSize);
    if (oldSize < newSize)
      yield { path: entriesPath(index, width), address: { kind: 'entries', index, width } };
  }
  for (const tile of tilesBetween(oldSize, newSize)) {
    yield { path: tilePath(tile.level, tile.index, tile.width), address: { kind: 'hashes', ...tile } };
  }
}

/** All files of a log of `size` entries but the checkpoint. */
export function filesOf(size: number): Generator<LogFile> {
  return filesBetween(0, size);
}
