/**
 * C2SP tlog-tiles: how the hashes and entries of a log are cut into files of up to 256.
 *
 *     tile/<L>/<N>[.p/<W>]         W hashes of level 8·L from number 256·N on, 32 bytes each
 *     tile/entries/<N>[.p/<W>]     W entries from number 256·N on, each as length u16 || entry
 *
 * N in groups of three digits, all but the last with an x before: 1234067 is x001/x234/067. ".p/W" stands only on a
 * partial tile, W from 1 to 255. A full tile has 256.
 */
import { FirebreakError } from '../errors.js';
import { MAX_ENTRY_BYTES, type HashCoordinate } from './merkle.js';

export const TILE_HEIGHT = 8;
export const TILE_WIDTH = 256;
const MAX_LEVEL = 63;
/** Before each entry of a bundle. */
const LENGTH_BYTES = 2;

/** A tile of hashes as it stands at some size of the log. */
export interface Tile {
  readonly level: number;
  readonly index: number;
  /** 1..256; 256 when full. */
  readonly width: number;
}

export type TileAddress =
  | ({ readonly kind: 'hashes' } & Tile)
  | { readonly kind: 'entries'; readonly index: number; readonly width: number };

/** Path of a tile of hashes below the log's prefix, no leading slash. */
export function tilePath(level: number, index: number, width: number): string {
  return `tile/${level}/${indexPath(index)}${widthSuffix(width)}`;
}

/** Path of an entry bundle below the log's prefix, no leading slash. */
export function entriesPath(index: number, width: number): string {
  return `tile/entries/${indexPath(index)}${widthSuffix(width)}`;
}

function indexPath(index: number): string {
  const digits = String(index);
  const groups = digits.padStart(Math.ceil(digits.length / 3) * 3, '0').match(/\d{3}/g) ?? [];
  return groups.map((group, i) => (i < groups.length - 1 ? `x${group}` : group)).join('/');
}

function widthSuffix(width: number): string {
  return width === TILE_WIDTH ? '' : `.p/${width}`;
}

const ADDRESS = /^tile\/(entries|0|[1-9]\d?)\/((?:x\d{3}\/)*\d{3})(?:\.p\/([1-9]\d{0,2}))?$/;

/**
 * The tile or bundle a path names; throws `format` for any path that {@link tilePath} and {@link entriesPath}
 * would not write.
 */
export function parseTilePath(path: string): TileAddress {
  const [, kind = '', groups = '', partial] = ADDRESS.exec(path) ?? [];
  const index = Number(groups.replaceAll(/[x/]/g, ''));
  const width = partial === undefined ? TILE_WIDTH : Number(partial);
  const level = Number(kind);
  const bounded = Number.isSafeInteger(index) && width <= TILE_WIDTH && !(level > MAX_LEVEL);
  const written = kind === 'entries' ? entriesPath(index, width) : tilePath(level, index, width);
  if (!bounded || written !== path)
    throw new FirebreakError('format', 'this is not the path of a tile or an entry bundle');
  return kind === 'entries' ? { kind, index, width } : { kind: 'hashes', level, index, width };
}

/** How many hashes level `level` has in a log of `size` entries. */
function hashesAt(level: number, size: number): number {
  return Math.floor(size / TILE_WIDTH ** level);
}

/** Width of tile (level, index) in a log of `size` entries; 0 when it does not exist yet. */
export function tileWidthAt(level: number, index: number, size: number): number {
  return Math.max(0, Math.min(TILE_WIDTH, hashesAt(level, size) - index * TILE_WIDTH));
}

/** The partial tiles of a log of `size` entries: at most one a level, lowest level first. */
export function partialTiles(size: number): Tile[] {
  const tiles: Tile[] = [];
  for (let level = 0; hashesAt(level, size) > 0; level++) {
    const hashes = hashesAt(level, size);
    const width = hashes % TILE_WIDTH;
    if (width > 0) tiles.push({ level, index: Math.floor(hashes / TILE_WIDTH), width });
  }
  return tiles;
}

/**
 * The tiles to write when a log grows: those that became full or grew, level by level, each as it stands at
 * `newSize`.
 */
export function* tilesBetween(oldSize: number, newSize: number): Generator<Tile> {
  for (let level = 0; hashesAt(level, newSize) > 0; level++) {
    const before = hashesAt(level, oldSize);
    const after = hashesAt(level, newSize);
    if (before === after) continue;
    for (let index = Math.floor(before / TILE_WIDTH); index * TILE_WIDTH < after; index++) {
      yield { level, index, width: tileWidthAt(level, index, newSize) };
    }
  }
}

/**
 * Where a stored hash is found in a log of `size` entries: it is the root of `count` hashes of the tile, from
 * place `first` on.
 */
export function tileOfHash(
  { level, index }: HashCoordinate,
  size: number,
): Tile & { first: number; count: number } {
  const tileLevel = Math.floor(level / TILE_HEIGHT);
  const count = 2 ** (level % TILE_HEIGHT);
  const tileIndex = Math.floor((index * count) / TILE_WIDTH);
  const width = tileWidthAt(tileLevel, tileIndex, size);
  return { level: tileLevel, index: tileIndex, width, first: (index * count) % TILE_WIDTH, count };
}

/** Entries, at most 256 of at most 65,535 bytes, as an entry bundle. */
export function bundleOf(entries: readonly Uint8Array[]): Uint8Array {
  const bundle = Buffer.allocUnsafe(entries.reduce((sum, entry) => sum + LENGTH_BYTES + entry.length, 0));
  let at = 0;
  for (const entry of entries) {
    if (entry.length > MAX_ENTRY_BYTES) throw new FirebreakError('size', 'an entry is at most 65,535 bytes');
    at = bundle.writeUInt16BE(entry.length, at);
    bundle.set(entry, at);
    at += entry.length;
  }
  return bundle;
}

/** The entries of a bundle that must hold exactly `width`. Throws `format`. */
export function entriesOf(bundle: Uint8Array, width: number): Uint8Array[] {
  const ends = endsOf(bundle, width);
  return ends.map((end, place) => entryBetween(bundle, ends[place - 1] ?? 0, end));
}

/** The entry at `place` of a bundle that must hold exactly `width`. Throws `format`. */
export function entryOf(bundle: Uint8Array, width: number, place: number): Uint8Array {
  const ends = endsOf(bundle, width);
  return entryBetween(bundle, ends[place - 1] ?? 0, ends[place] ?? 0);
}

/** Where each entry of the bundle ends. Throws `format` unless it holds exactly `width`. */
function endsOf(bundle: Uint8Array, width: number): number[] {
  const ends: number[] = [];
  let at = 0;
  while (at + LENGTH_BYTES <= bundle.length && ends.length < width) {
    at += LENGTH_BYTES + (((bundle[at] ?? 0) << 8) | (bundle[at + 1] ?? 0));
    if (at > bundle.length) break;
    ends.push(at);
  }
  if (ends.length === width && at === bundle.length) return ends;
  throw new FirebreakError('format', `an entry bundle does not hold ${width} entries and nothing else`);
}

/** A copy, so that keeping an entry does not keep its bundle in memory. */
const entryBetween = (bundle: Uint8Array, start: number, end: number): Uint8Array =>
  new Uint8Array(bundle.subarray(start + LENGTH_BYTES, end));
