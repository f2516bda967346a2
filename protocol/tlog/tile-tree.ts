/**
 * A tile of hashes and the nodes above them, each joined when it is first asked for. Laid as a heap: node 1
 * is the root of a full tile, below node k stand 2k and 2k + 1, and the tile's own hashes are nodes 256 to
 * 511.
 */
import { FirebreakError } from '../errors.js';
import { HASH_LENGTH, joinPair } from './merkle.js';
import { TILE_WIDTH, type Tile } from './tile.js';

export class TileTree {
  readonly #nodes = Buffer.alloc(2 * TILE_WIDTH * HASH_LENGTH);
  readonly #isKnown = new Uint8Array(2 * TILE_WIDTH);

  /** Throws `damaged` unless these are as many hashes as the tile is wide. */
  constructor({ level, index, width }: Tile, hashes: Uint8Array) {
    if (hashes.length !== width * HASH_LENGTH) {
      throw new FirebreakError(
        'damaged',
        `tile ${level}/${index} has ${hashes.length} bytes, not ${width * HASH_LENGTH}`,
      );
    }
    this.#nodes.set(hashes, TILE_WIDTH * HASH_LENGTH);
    this.#isKnown.fill(1, TILE_WIDTH, TILE_WIDTH + width);
  }

  /** Root of `count` hashes, a power of two, from place `first` on, a multiple of it: the tile has to hold them all. */
  root(first: number, count: number): Uint8Array {
    const node = (TILE_WIDTH + first) / count;
    this.#know(node);
    return new Uint8Array(this.#nodes.subarray(node * HASH_LENGTH, (node + 1) * HASH_LENGTH));
  }

  #know(node: number): void {
    if (this.#isKnown[node] === 1) return;
    this.#know(2 * node);
    this.#know(2 * node + 1);
    joinPair(this.#nodes, 2 * node * HASH_LENGTH, node * HASH_LENGTH);
    this.#isKnown[node] = 1;
  }
}
