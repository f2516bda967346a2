/**
 * Which files a log of some size is as a static C2SP folder: its tiles and bundles. Of partial ones those of
 * the size itself must be there, and those of earlier checkpoints as long as the full one is not.
 */
import { FirebreakError } from '../../protocol/errors.js';
import {
  entriesPath,
  parseTilePath,
  TILE_WIDTH,
  tilePath,
  tilesBetween,
  tileWidthAt,
  type TileAddress,
} from '../../protocol/tlog/tile.js';

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

/** Entries, or hashes, that the tile of this file has in a log of `size` entries. */
export function coveringWidth({ address }: LogFile, size: number): number {
  return tileWidthAt(address.kind === 'entries' ? 0 : address.level, address.index, size);
}

/** The partial tile or bundle at `path` when a log of `size` entries has all of it; `undefined` for any other path. */
export function partialFile(path: string, size: number): LogFile | undefined {
  try {
    const file = { path, address: parseTilePath(path) };
    const { width } = file.address;
    return width < TILE_WIDTH && width <= coveringWidth(file, size) ? file : undefined;
  } catch (error) {
    if (error instanceof FirebreakError && error.code === 'format') return undefined;
    throw error;
  }
}
