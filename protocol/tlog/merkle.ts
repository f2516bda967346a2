/**
 * The Merkle tree of RFC 6962 §2.1 over ledger entries: hashes, and proofs made and checked.
 *
 *     leaf = H(0x00 || entry)      node = H(0x01 || left || right)      root of nothing = H("")
 *
 * Only the hashes of *perfect* subtrees are stored: coordinate {level, index} is the root of the leaves
 * [index·2^level, (index+1)·2^level). Every proof is made in three steps: plan which stored hashes it takes,
 * read them all at once, compute. Hashes that are read are not trusted: whoever makes a proof from somebody
 * else's tiles checks it. Sizes and indexes are whole numbers below 2^53, so there is no 32-bit arithmetic
 * here.
 */
import assert from 'node:assert/strict';
import { equalBytes } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { sha256, sha256Text, writeDigest } from '../crypto/hash.js';

export const HASH_LENGTH = 32;
/** Of an entry: its length must fit an entry bundle (C2SP tlog-tiles). */
export const MAX_ENTRY_BYTES = 65_535;

/** Root of the tree without leaves. */
export const emptyRoot = (): Uint8Array => sha256(new Uint8Array(0));

const leafInput = new Uint8Array(1 + MAX_ENTRY_BYTES);
/** Views of its beginning, by their length: entries are nearly all as long as the one before. */
const smallLeaves: Uint8Array[] = [];
const SMALL_LEAF = 256;
const nodeInput = new Uint8Array(1 + 2 * HASH_LENGTH).fill(1);

/** H(0x00 || entry), of an entry of at most {@link MAX_ENTRY_BYTES}. */
export function leafHash(entry: Uint8Array): Uint8Array {
  const end = 1 + entry.length;
  assert(end <= leafInput.length, 'an entry is at most 65,535 bytes');
  leafInput.set(entry, 1);
  return sha256(
    end < SMALL_LEAF ? (smallLeaves[end] ??= leafInput.subarray(0, end)) : leafInput.subarray(0, end),
  );
}

/** H(0x01 || left || right). */
export function nodeHash(left: Uint8Array, right: Uint8Array): Uint8Array {
  assert(left.length === HASH_LENGTH && right.length === HASH_LENGTH, 'a node has two hashes of 32 bytes');
  nodeInput.set(left, 1);
  nodeInput.set(right, 1 + HASH_LENGTH);
  return sha256(nodeInput);
}

/** As {@link nodeHash}, of two hashes that lie end to end at `from`; written at `to`, into the same bytes. */
export function joinPair(hashes: Buffer, from: number, to: number): void {
  hashes.copy(nodeInput, 1, from, from + 2 * HASH_LENGTH);
  writeDigest(sha256Text(nodeInput), hashes, to);
}

/** Where a stored hash stands: the root of the leaves [index·2^level, (index+1)·2^level). */
export interface HashCoordinate {
  readonly level: number;
  readonly index: number;
}

/** Reads stored hashes, in the order asked, in one go (tile-hash-reader.ts). */
export type HashReader = (coordinates: readonly HashCoordinate[]) => Promise<readonly Uint8Array[]>;

/** Leaves [start, end), and on which side of the path its hash joins. */
interface Sibling {
  readonly start: number;
  readonly end: number;
  readonly side: 'left' | 'right';
}

/** What to read for a proof: each of `groups` becomes one hash of the proof, made of that many of `coordinates`. */
export interface ProofPlan {
  readonly coordinates: readonly HashCoordinate[];
  readonly groups: readonly number[];
}

/** Largest power of two that is smaller than `count` (> 1): where RFC 6962 splits. */
function splitOf(count: number): number {
  let split = 1;
  while (split * 2 < count) split *= 2;
  return split;
}

/** The perfect subtrees of leaves [start, end), left to right; `start` is a split point, so they only get smaller. */
function perfectSubtrees(start: number, end: number): HashCoordinate[] {
  const coordinates: HashCoordinate[] = [];
  for (let at = start; at < end;) {
    let level = 0;
    while (2 ** (level + 1) <= end - at) level += 1;
    coordinates.push({ level, index: at / 2 ** level });
    at += 2 ** level;
  }
  return coordinates;
}

function planOf(ranges: readonly { readonly start: number; readonly end: number }[]): ProofPlan {
  const groups = ranges.map(({ start, end }) => perfectSubtrees(start, end));
  return { coordinates: groups.flat(), groups: groups.map((group) => group.length) };
}

/** Folds perfect subtrees, left to right, into the root of what they cover together. */
export function foldSubtrees(hashes: readonly Uint8Array[]): Uint8Array {
  return hashes.reduceRight((right, left) => nodeHash(left, right));
}

/** The hashes of a proof from those that were read for its plan. */
export function computeProof(plan: ProofPlan, hashes: readonly Uint8Array[]): Uint8Array[] {
  assert.equal(hashes.length, plan.coordinates.length, 'a reader returns one hash for each coordinate');
  let at = 0;
  return plan.groups.map((count) => foldSubtrees(hashes.slice(at, (at += count))));
}

/** Siblings on the way from leaf `index` up to the root of `size` leaves (RFC 6962 §2.1.1). */
function inclusionSiblings(index: number, size: number): Sibling[] {
  const siblings: Sibling[] = [];
  let start = 0;
  let end = size;
  while (end - start > 1) {
    const middle = start + splitOf(end - start);
    if (index < middle) {
      siblings.push({ start: middle, end, side: 'right' });
      end = middle;
    } else {
      siblings.push({ start, end: middle, side: 'left' });
      start = middle;
    }
  }
  return siblings.reverse();
}

interface ConsistencyPath {
  /** The subtree that ends where the old tree ended; the verifier knows its hash when it is the whole old tree. */
  readonly seed: { readonly start: number; readonly end: number };
  readonly siblings: readonly Sibling[];
}

/** RFC 6962 §2.1.2 for 0 < oldSize < newSize. */
function consistencyPath(oldSize: number, newSize: number): ConsistencyPath {
  const siblings: Sibling[] = [];
  let start = 0;
  let end = newSize;
  while (end !== oldSize) {
    const middle = start + splitOf(end - start);
    if (oldSize <= middle) {
      siblings.push({ start: middle, end, side: 'right' });
      end = middle;
    } else {
      siblings.push({ start, end: middle, side: 'left' });
      start = middle;
    }
  }
  return { seed: { start, end }, siblings: siblings.reverse() };
}

function refuseUnless(holds: boolean, what: string): void {
  if (!holds) throw new FirebreakError('proof', what);
}

/** What to read for the root of the first `size` leaves (one group, none for the empty tree). */
export function planRoot(size: number): ProofPlan {
  return planOf(size === 0 ? [] : [{ start: 0, end: size }]);
}

/** What to read to prove that leaf `index` is in the tree of `size` leaves. Throws `proof` unless index < size. */
export function planInclusion(index: number, size: number): ProofPlan {
  refuseUnless(index >= 0 && index < size, `there is no leaf ${index} in a tree of ${size}`);
  return planOf(inclusionSiblings(index, size));
}

/**
 * What to read to prove that the tree of `newSize` leaves begins with that of `oldSize`. Throws `proof` when
 * it shrinks.
 */
export function planConsistency(oldSize: number, newSize: number): ProofPlan {
  refuseUnless(
    oldSize >= 0 && oldSize <= newSize,
    `a tree of ${newSize} cannot begin with one of ${oldSize}`,
  );
  if (oldSize === 0 || oldSize === newSize) return planOf([]);
  const { seed, siblings } = consistencyPath(oldSize, newSize);
  return planOf(seed.start === 0 ? siblings : [seed, ...siblings]);
}

/** Root of the first `size` leaves, from stored hashes. */
export async function treeRoot(size: number, read: HashReader): Promise<Uint8Array> {
  const plan = planRoot(size);
  const [root = emptyRoot()] = computeProof(plan, await readAll(plan, read));
  return root;
}

/**
 * RFC 6962 audit path of leaf `index`, leaf to root. Throws `proof` unless index < size, and what the reader
 * throws.
 */
export async function proveInclusion(index: number, size: number, read: HashReader): Promise<Uint8Array[]> {
  const plan = planInclusion(index, size);
  return computeProof(plan, await readAll(plan, read));
}

/** RFC 6962 consistency proof; empty when the sizes are equal or the old tree is. Throws as {@link planConsistency}. */
export async function proveConsistency(
  oldSize: number,
  newSize: number,
  read: HashReader,
): Promise<Uint8Array[]> {
  const plan = planConsistency(oldSize, newSize);
  return computeProof(plan, await readAll(plan, read));
}

async function readAll(plan: ProofPlan, read: HashReader): Promise<readonly Uint8Array[]> {
  return plan.coordinates.length === 0 ? [] : read(plan.coordinates);
}

/** An inclusion claim: this leaf hash stands at `index` in the tree of `size` leaves with this root. */
export interface InclusionClaim {
  readonly index: number;
  readonly size: number;
  readonly leaf: Uint8Array;
  readonly root: Uint8Array;
}

/** Throws `proof` unless `proof` shows the claim. */
export function checkInclusion(
  proof: readonly Uint8Array[],
  { index, size, leaf, root }: InclusionClaim,
): void {
  refuseUnless(
    Number.isSafeInteger(index) && Number.isSafeInteger(size),
    'sizes and indexes are whole numbers',
  );
  refuseUnless(index >= 0 && index < size, `there is no leaf ${index} in a tree of ${size}`);
  const siblings = inclusionSiblings(index, size);
  requireHashes([...proof, leaf, root]);
  refuseUnless(
    proof.length === siblings.length,
    `the inclusion proof has ${proof.length} hashes, not ${siblings.length}`,
  );
  const computed = proof.reduce((hash, sibling, i) => join(hash, sibling, siblings[i]?.side), leaf);
  refuseUnless(equalBytes(computed, root), `the inclusion proof of entry ${index} does not lead to the root`);
}

/** A consistency claim: the tree of `newSize` leaves with `newRoot` begins with the one of `oldSize` with `oldRoot`. */
export interface ConsistencyClaim {
  readonly oldSize: number;
  readonly oldRoot: Uint8Array;
  readonly newSize: number;
  readonly newRoot: Uint8Array;
}

/** Throws `consistency` when the roots contradict the proof, `proof` when the proof is not one for these sizes. */
export function checkConsistency(proof: readonly Uint8Array[], claim: ConsistencyClaim): void {
  const { oldSize, oldRoot, newSize, newRoot } = claim;
  refuseUnless(Number.isSafeInteger(oldSize) && Number.isSafeInteger(newSize), 'sizes are whole numbers');
  refuseUnless(
    oldSize >= 0 && oldSize <= newSize,
    `a tree of ${newSize} cannot begin with one of ${oldSize}`,
  );
  requireHashes([...proof, oldRoot, newRoot]);
  if (oldSize === 0 || oldSize === newSize) {
    refuseUnless(proof.length === 0, 'this consistency proof must be empty');
    return requireSameRoot(oldSize === 0 ? emptyRoot() : newRoot, oldRoot, oldSize);
  }
  const { seed, siblings } = consistencyPath(oldSize, newSize);
  const hashes = seed.start === 0 ? [oldRoot, ...proof] : proof;
  refuseUnless(
    hashes.length === siblings.length + 1,
    `the consistency proof has ${proof.length} hashes, which does not fit`,
  );
  const [first = oldRoot, ...rest] = hashes;
  const sides = siblings.map((sibling) => sibling.side);
  const before = rest.reduce(
    (hash, sibling, i) => (sides[i] === 'left' ? nodeHash(sibling, hash) : hash),
    first,
  );
  const after = rest.reduce((hash, sibling, i) => join(hash, sibling, sides[i]), first);
  requireSameRoot(before, oldRoot, oldSize);
  requireSameRoot(after, newRoot, newSize);
}

function join(hash: Uint8Array, sibling: Uint8Array, side: Sibling['side'] | undefined): Uint8Array {
  return side === 'left' ? nodeHash(sibling, hash) : nodeHash(hash, sibling);
}

function requireHashes(hashes: readonly Uint8Array[]): void {
  refuseUnless(
    hashes.every((hash) => hash.length === HASH_LENGTH),
    'a hash in a proof must have 32 bytes',
  );
}

function requireSameRoot(computed: Uint8Array, root: Uint8Array, size: number): void {
  if (equalBytes(computed, root)) return;
  throw new FirebreakError(
    'consistency',
    `the log is not consistent: the proof gives another root at size ${size}`,
  );
}
