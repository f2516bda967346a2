/**
 * Merging what was told of one pair of tags in one epoch into a contact (protocol.md §6): one side's records first, then the
 * two sides.
 *
 * One side: equal start is a duplicate, disjoint records add, overlapping ones take the larger of each; those that one beacon
 * proves never add, since it may be the same beacon. However many records tell it, a side is credited no more seconds than
 * these last together. Then the larger of each across the sides. Of two with an equal start the one that was logged first
 * stands, and of two in one report the first that was added; the order they come in does not matter otherwise.
 */
import assert from 'node:assert/strict';
import type { BucketSeconds } from '../../protocol/encounter-record.js';
import { capBuckets } from '../beacon-proof.js';

/** What one side told of one stretch. */
export interface Account {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  readonly medianAttenuationDb: number;
  /** Proven by one beacon only. */
  readonly partial: boolean;
  /** Indexes of the entries that told it, ascending, the first 255; none for a contact that no ledger holds. */
  readonly ledger: readonly number[];
}

/** What the one said and what the other said; starts differ within each. */
export type Sides = readonly [readonly Account[], readonly Account[]];

/** Both sides' word in one. */
export interface Merged extends Account {
  readonly mutual: boolean;
}

/** Of entries that all say the same: a tag that says it without end is not to fill the store. */
const MOST_ENTRIES = 255;

/** A side with one account more; the same side when it holds that word of that entry already, or of enough before it. */
export function withAccount(side: readonly Account[], account: Account): readonly Account[] {
  const known = side.find(({ start }) => start === account.start);
  if (known === undefined) return [...side, account];
  const ledger = union(known.ledger, account.ledger).slice(0, MOST_ENTRIES);
  if (ledger.length === known.ledger.length && ledger.at(-1) === known.ledger.at(-1)) return side;
  const standing = { ...earlierOf(known, account), ledger };
  return side.map((other) => (other === known ? standing : other));
}

/** At least one side said something. */
export function mergeSides(sides: Sides): Merged {
  const [first, second] = sides.filter((side) => side.length > 0).map(sideOf);
  assert(first, 'a contact that somebody reported');
  return second === undefined ? { ...first, mutual: false } : { ...largerOf(first, second), mutual: true };
}

const earlierOf = (known: Account, other: Account): Account =>
  (other.ledger[0] ?? 0) < (known.ledger[0] ?? 0) ? other : known;

/** One side's word. What one beacon proves is as much as its longest record says of it. */
function sideOf(accounts: readonly Account[]): Account {
  const [only] = accounts;
  if (only && accounts.length === 1) return only.partial ? only : withinItsLength(only);
  const stretches = stretchesOf(accounts.filter(({ partial }) => !partial)).map(withinItsLength);
  const added = stretches.length === 0 ? [] : [stretches.reduce(sumOf)];
  const words = [...added, ...accounts.filter(({ partial }) => partial)];
  const most = words.reduce((seconds, word) => Math.max(seconds, secondsOf(word)), 0);
  const said = words.reduce(largerOf);
  return { ...said, bucketSeconds: capBuckets(said.bucketSeconds, most) };
}

/** Of those that overlap the larger of each. */
function stretchesOf(accounts: readonly Account[]): Account[] {
  const stretches: Account[] = [];
  for (const account of accounts.toSorted((x, y) => x.start - y.start)) {
    const last = stretches.at(-1);
    if (last && account.start < last.end) stretches[stretches.length - 1] = largerOf(last, account);
    else stretches.push(account);
  }
  return stretches;
}

const secondsOf = ({ bucketSeconds: [immediate, near, medium, other] }: Account): number =>
  immediate + near + medium + other;

/** Two records that overlap may tell the same seconds in different buckets. */
function withinItsLength(account: Account): Account {
  const { start, end, bucketSeconds } = account;
  if (secondsOf(account) <= end - start) return account;
  return { ...account, bucketSeconds: capBuckets(bucketSeconds, end - start) };
}

const sumOf = (x: Account, y: Account): Account => ({
  ...largerOf(x, y),
  bucketSeconds: eachBucket(x.bucketSeconds, y.bucketSeconds, (p, q) => p + q),
});

function largerOf(x: Account, y: Account): Account {
  return {
    start: Math.min(x.start, y.start),
    end: Math.max(x.end, y.end),
    bucketSeconds: eachBucket(x.bucketSeconds, y.bucketSeconds, Math.max),
    medianAttenuationDb: Math.min(x.medianAttenuationDb, y.medianAttenuationDb),
    partial: x.partial || y.partial,
    ledger: union(x.ledger, y.ledger),
  };
}

function eachBucket(
  x: BucketSeconds,
  y: BucketSeconds,
  pick: (p: number, q: number) => number,
): BucketSeconds {
  return [pick(x[0], y[0]), pick(x[1], y[1]), pick(x[2], y[2]), pick(x[3], y[3])];
}

const union = (x: readonly number[], y: readonly number[]): number[] =>
  [...new Set([...x, ...y])].sort((p, q) => p - q);
