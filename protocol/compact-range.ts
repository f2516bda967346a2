/**
 * A Merkle tree held as its compact range: the roots of its perfect subtrees, one for each bit of its size. Enough to
 * append leaves and to know the root, never more than 53 hashes.
 *
 *     serialised: size u64 || hashes 32 each, largest subtree first
 */
import assert from 'node:assert/strict';
import { hash } from 'node:crypto';
import { asTreeSize, type TreeSize } from './brands.js';
import { ByteReader, ByteWriter } from './bytes.js';
import { FirebreakError } from './errors.js';
import { emptyRoot, foldSubtrees, HASH_LENGTH, planRoot } from './merkle.js';

const MAX_LEVELS = 53;
const LEFT = 1;
const RIGHT = LEFT + HASH_LENGTH;
const SUBTREES = RIGHT + HASH_LENGTH;

const subtreeAt = (level: number): number => SUBTREES + level * HASH_LENGTH;

/** Told of every perfect subtree an append completes, smallest first: its level and hash, good only during the call. */
export type SubtreeListener = (level: number, subtreeHash: Uint8Array) => void;

export class CompactRange {
  /** 0x01 || left || right, then the root of the perfect subtree of 2^level leaves at SUBTREES + 32·level. */
  private readonly memory = Buffer.alloc(SUBTREES + MAX_LEVELS * HASH_LENGTH, 1);
  private readonly node = this.memory.subarray(0, SUBTREES);
  /** The hash under way always stands in the right half of the node. */
  private readonly carried = this.memory.subarray(RIGHT, SUBTREES);
  private count = 0;

  get size(): TreeSize {
    return asTreeSize(this.count);
  }

  /** Appends a leaf hash (32 bytes). About one node hash a leaf. */
  append(leaf: Uint8Array, onSubtree?: SubtreeListener): void {
    const { memory, node, carried } = this;
    assert(leaf.length === HASH_LENGTH, 'a leaf hash has 32 bytes');
    memory.set(leaf, RIGHT);
    let level = 0;
    let index = this.count;
    onSubtree?.(level, carried);
    while (index % 2 === 1) {
      memory.copyWithin(LEFT, subtreeAt(level), subtreeAt(level + 1));
      memory.write(hash('sha256', node, 'binary'), RIGHT, 'binary');
      level += 1;
      index = (index - 1) / 2;
      onSubtree?.(level, carried);
    }
    memory.copyWithin(subtreeAt(level), RIGHT, SUBTREES);
    this.count += 1;
  }

  /** Roots of the perfect subtrees, largest first (copies). */
  hashes(): Uint8Array[] {
    return planRoot(this.count).coordinates.map(
      ({ level }) => new Uint8Array(this.memory.subarray(subtreeAt(level), subtreeAt(level + 1))),
    );
  }

  /** RFC 6962 root of all leaves so far. */
  root(): Uint8Array {
    return this.count === 0 ? emptyRoot() : foldSubtrees(this.hashes());
  }

  copy(): CompactRange {
    return compactRangeOf(this.count, this.hashes());
  }

  /** Sets the state; see {@link compactRangeOf}. */
  restore(size: number, hashes: readonly Uint8Array[]): void {
    const { coordinates } = planRoot(asTreeSize(size));
    if (hashes.length !== coordinates.length || hashes.some((one) => one.length !== HASH_LENGTH)) {
      throw new FirebreakError(
        'format',
        `a compact range of ${size} leaves has ${coordinates.length} hashes of 32 bytes`,
      );
    }
    coordinates.forEach(({ level }, i) => this.memory.set(hashes[i] ?? [], subtreeAt(level)));
    this.count = size;
  }
}

/** A tree of `size` leaves from the roots of its perfect subtrees: what `planRoot(size)` names. Throws `format`. */
export function compactRangeOf(size: number, hashes: readonly Uint8Array[]): CompactRange {
  const range = new CompactRange();
  range.restore(size, hashes);
  return range;
}

export function encodeCompactRange(range: CompactRange): Uint8Array {
  const hashes = range.hashes();
  const writer = new ByteWriter(8 + hashes.length * HASH_LENGTH);
  writer.u64(range.size);
  for (const subtree of hashes) writer.bytes(subtree);
  return writer.finish();
}

/** Throws `format`. */
export function decodeCompactRange(bytes: Uint8Array): CompactRange {
  const reader = new ByteReader(bytes, 'a compact range');
  const size = reader.u64();
  const hashes = planRoot(asTreeSize(size)).coordinates.map(() => reader.take(HASH_LENGTH));
  reader.end();
  return compactRangeOf(size, hashes);
}

/** Root over leaf hashes at hand, for small trees such as a credential pack's (protocol.md §10, type 9). */
export function rootOfLeaves(leaves: Iterable<Uint8Array>): Uint8Array {
  const range = new CompactRange();
  for (const leaf of leaves) range.append(leaf);
  return range.root();
}
