/**
 * A Merkle tree held as its compact range: the roots of its perfect subtrees, one for each bit of its size. Enough to
 * append leaves and to know the root, never more than 53 hashes.
 *
 *     serialised: size u64 || hashes 32 each, largest subtree first
 */
import assert from 'node:assert/strict';
import { asTreeSize, type TreeSize } from '../brands.js';
import { ByteReader, ByteWriter } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { sha256Text, writeDigest } from '../crypto/hash.js';
import { emptyRoot, HASH_LENGTH, planRoot } from './merkle.js';

const LEFT = 1;
const RIGHT = LEFT + HASH_LENGTH;

/** Told of every perfect subtree an append completes, smallest first: its level and hash, good only during the call. */
export type SubtreeListener = (level: number, subtreeHash: Uint8Array) => void;

/** 0x01 || left || right: what is hashed for a node, and views of its two halves. */
class NodeInput {
  readonly bytes = new Uint8Array(RIGHT + HASH_LENGTH).fill(1);
  readonly left = this.bytes.subarray(LEFT, RIGHT);
  readonly right = this.bytes.subarray(RIGHT);
}

export class CompactRange {
  /**
   * At each level the node under way. Where the size has that bit, its left half is the perfect subtree that
   * waits there.
   */
  private readonly nodes: NodeInput[] = [];
  /** What {@link root} hashes its way up with. */
  private readonly above = new NodeInput();
  private count = 0;

  get size(): TreeSize {
    return asTreeSize(this.count);
  }

  /** Appends a leaf hash (32 bytes). About one node hash a leaf. */
  append(leaf: Uint8Array, onSubtree?: SubtreeListener): void {
    assert(leaf.length === HASH_LENGTH, 'a leaf hash has 32 bytes');
    let level = 0;
    let index = this.count;
    let node = this.node(level);
    const isRight = index % 2 === 1;
    (isRight ? node.right : node.left).set(leaf);
    onSubtree?.(level, leaf);
    while (index % 2 === 1) {
      const made = sha256Text(node.bytes);
      level += 1;
      index = (index - 1) / 2;
      node = this.node(level);
      const half = index % 2 === 1 ? node.right : node.left;
      writeDigest(made, half, 0);
      onSubtree?.(level, half);
    }
    this.count += 1;
  }

  /** Roots of the perfect subtrees, largest first (copies). */
  hashes(): Uint8Array[] {
    return planRoot(this.count).coordinates.map(({ level }) => new Uint8Array(this.node(level).left));
  }

  /** RFC 6962 root of all leaves so far. */
  root(): Uint8Array {
    if (this.count === 0) return emptyRoot();
    const { above } = this;
    let joined = 0;
    for (let level = 0, left = this.count; left > 0; level++, left = Math.floor(left / 2)) {
      if (left % 2 === 0) continue;
      const subtree = this.node(level).left;
      above.left.set(subtree);
      if (joined > 0) writeDigest(sha256Text(above.bytes), above.right, 0);
      else above.right.set(subtree);
      joined += 1;
    }
    return new Uint8Array(above.right);
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
    coordinates.forEach(({ level }, i) => this.node(level).left.set(hashes[i] ?? []));
    this.count = size;
  }

  private node(level: number): NodeInput {
    return (this.nodes[level] ??= new NodeInput());
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
