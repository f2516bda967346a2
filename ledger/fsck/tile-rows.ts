/** The stored tiles, each level read along with the entries, and compared with what the entries hash to. */
import { indexOfKey, tileKey } from '../store/store-keys.js';
import { HASH_LENGTH } from '../../protocol/tlog/merkle.js';
import { tilePath, TILE_WIDTH } from '../../protocol/tlog/tile.js';
import type { TileBytes } from '../../protocol/tlog/tile-edge.js';
import { equalBytes } from '../../protocol/bytes.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';
import type { RowView } from './row-view.js';

const LEVELS = 64;

interface Level {
  readonly rest: Iterator<LiveRow>;
  row: LiveRow | undefined;
}

/** The first entry under hash `at` of a tile. */
export const firstEntryUnder = (level: number, index: number, at: number): number =>
  (index * TILE_WIDTH + at) * TILE_WIDTH ** level;

export class TileRows {
  readonly #rows: RowView;
  readonly #findings: Findings;
  readonly #levels = new Map<number, Level>();

  constructor(rows: RowView, findings: Findings) {
    this.#rows = rows;
    this.#findings = findings;
  }

  /** The stored hashes of a tile; of one level, tiles must be asked for in order. */
  take(level: number, index: number): Uint8Array | undefined {
    const open = this.#levels.get(level) ?? this.#open(level);
    for (; open.row !== undefined; open.row = nextOf(open.rest)) {
      const found = indexOfKey(open.row.key);
      if (found > index) return undefined;
      const { value } = open.row;
      if (found === index) {
        open.row = nextOf(open.rest);
        return value;
      }
      this.#unexpected(level, found);
    }
    return undefined;
  }

  /** Compares a tile with the stored one, and names the first entry that a wrong hash covers. */
  compare({ level, index, width, bytes }: TileBytes): void {
    const stored = this.take(level, index);
    const path = tilePath(level, index, width);
    const damage = (what: string, at: number): void =>
      this.#findings.damage('tiles', `is covered by ${path}, ${what}`, {
        index: firstEntryUnder(level, index, at),
      });
    if (stored === undefined) damage('which is missing', 0);
    else if (stored.length !== bytes.length)
      damage(`which has ${stored.length} bytes, not ${bytes.length}`, 0);
    else if (!equalBytes(stored, bytes)) {
      const at = Math.floor(stored.findIndex((byte, i) => byte !== bytes[i]) / HASH_LENGTH);
      damage(`whose hash ${at} is not what the entries below it hash to`, at);
    }
  }

  /** Whatever is left is of no tile that the log has. `complete`: all tiles of the log were asked for. */
  finish(complete: boolean): void {
    if (!complete) {
      for (const { rest } of this.#levels.values()) rest.return?.();
      return;
    }
    for (let level = 0; level < LEVELS; level++) this.take(level, Infinity);
  }

  #open(level: number): Level {
    const rest = this.#rows.ofKind('t', { gte: tileKey(level, 0), lt: tileKey(level + 1, 0) });
    const open = { rest, row: nextOf(rest) };
    this.#levels.set(level, open);
    return open;
  }

  #unexpected(level: number, index: number): void {
    this.#findings.damage('tiles', `tile ${level}/${index} is stored, and the log has none of that number`);
  }
}

function nextOf(rows: Iterator<LiveRow>): LiveRow | undefined {
  const next = rows.next();
  return next.done === true ? undefined : next.value;
}
