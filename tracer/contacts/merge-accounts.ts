/**
 * Merging what was told of one pair of tags in one epoch into a contact (protocol.md §6): one side's records
 * first, then the two sides.
 *
 * One side: equal start is a duplicate, disjoint records add, overlapping ones take the larger of each; those
 * that one beacon proves never add, since it may be the same beacon. However many records tell it, a side is
 * credited no more seconds than these last together. Then the larger of each across the sides. Of two with an
 * equal start the one that was logged first stands, and of two in one report the first that was added; the
 * order they come in does not matter otherwise.
 *
 * A tag may say as much as it likes of one meeting; of a side its first 32 words count (docs/decisions/0024). A
 * word is what one entry says of one start, and they are in order of entry, then start. What is among the first
 * of all words told is so among the first of any of them, so a word that found no room is never missed, in
 * whatever order they come.
 */
import assert from 'node:assert/strict';
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { capBuckets } from '../records/beacon-proof.js';
import type { Testimony } from '../records/testimony.js';

/** A time that two tags were near each other, as one or both tell it. */
interface Stretch {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  readonly medianAttenuationDb: number;
  /** Proven by one beacon only. */
  readonly partial: boolean;
}

/** What one side told of one stretch. */
export interface Account extends Stretch {
  /** Indexes of the entries that told it, ascending; none for a contact that no ledger holds. */
  readonly ledger: readonly number[];
}

/** What the one said and what the other said; starts differ within each. */
export type Sides = readonly [readonly Account[], readonly Account[]];

/** Both sides' word in one. */
export interface Merged extends Stretch {
  readonly mutual: boolean;
}

/**
 * That count of a side. An honest tag has one record of a peer and epoch, and one more for each time it lost
 * those it had open or its clock was set.
 */
const MOST_WORDS = 32;

/** A side with one word more; the same side when it holds that word already, or as many as count before it. */
export function withAccount(side: readonly Account[], account: Account): readonly Account[] {
  if (side.length === 0) return [account];
  if (isFullBefore(side, account)) return side;
  const known = side.find(({ start }) => start === account.start);
  if (known === undefined) return firstWords([...side, account]);
  const ledger = union(known.ledger, account.ledger);
  if (ledger.length === known.ledger.length) return side;
  const standing = { ...earlierOf(known, account), ledger };
  return firstWords(side.map((other) => (other === known ? standing : other)));
}

/** What no entry told is no tag's word, and has room. */
function isFullBefore(side: readonly Account[], { start, ledger: [entry] }: Account): boolean {
  if (entry === undefined) return false;
  let words = 0;
  for (const account of side) {
    const last = account.ledger.at(-1) ?? -1;
    if (last > entry || (last === entry && account.start > start)) return false;
    words += account.ledger.length;
  }
  return words >= MOST_WORDS;
}

/** Those that count. */
function firstWords(side: readonly Account[]): readonly Account[] {
  if (side.reduce((sum, { ledger }) => sum + ledger.length, 0) <= MOST_WORDS) return side;
  const last = side.flatMap(wordsOf).sort(compareWords)[MOST_WORDS - 1] ?? [Infinity, 0];
  return side.flatMap((account) => {
    const first = wordsOf(account).filter((word) => compareWords(word, last) <= 0);
    if (first.length === account.ledger.length) return [account];
    return first.length === 0 ? [] : [{ ...account, ledger: first.map(([entry]) => entry) }];
  });
}

/**
 * Those that count, in the order given, of what two people said of one meeting: of each its first
 * {@link MOST_WORDS}, and of several of one entry and start the first. Merged, they give the same as all.
 */
export function wordsThatCount<Told extends Pick<Testimony, 'reporter' | 'ledgerIndex' | 'start'>>(
  told: readonly Told[],
): Told[] {
  const counting = new Set<Told>();
  const wordsOfSide = new Map<number, number>();
  let before: Told | undefined;
  for (const one of told.toSorted((x, y) => x.ledgerIndex - y.ledgerIndex || x.start - y.start)) {
    const isAgain = before?.ledgerIndex === one.ledgerIndex && before.start === one.start;
    before = one;
    const words = wordsOfSide.get(one.reporter) ?? 0;
    if (isAgain || words >= MOST_WORDS) continue;
    wordsOfSide.set(one.reporter, words + 1);
    counting.add(one);
  }
  return told.filter((one) => counting.has(one));
}

type Word = readonly [entry: number, start: number];

const wordsOf = ({ start, ledger }: Account): Word[] => ledger.map((entry) => [entry, start]);

const compareWords = ([entry, start]: Word, [otherEntry, otherStart]: Word): number =>
  entry - otherEntry || start - otherStart;

/** At least one side said something. */
export function mergeSides([one, other]: Sides): Merged {
  if (one.length > 0 && other.length > 0) return merged(largerOf(sideOf(one), sideOf(other)), true);
  const only = one.length > 0 ? one : other;
  assert(only.length > 0, 'a contact that somebody reported');
  return merged(sideOf(only), false);
}

/** The entries that both sides' word rests on, ascending. */
export const entriesOf = ([one, other]: Sides): readonly number[] =>
  [...one, ...other].map(({ ledger }) => ledger).reduce(union, []);

/** Spelled out, as is what many contacts go through below: to spread a stretch costs more than all the rest. */
function merged(
  { start, end, bucketSeconds, medianAttenuationDb, partial }: Stretch,
  mutual: boolean,
): Merged {
  return { start, end, bucketSeconds, medianAttenuationDb, partial, mutual };
}

const earlierOf = (known: Account, other: Account): Account =>
  (other.ledger[0] ?? 0) < (known.ledger[0] ?? 0) ? other : known;

/** One side's word. What one beacon proves is as much as its longest record says of it. */
function sideOf(accounts: readonly Stretch[]): Stretch {
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
function stretchesOf(accounts: readonly Stretch[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (const account of accounts.toSorted((x, y) => x.start - y.start)) {
    const last = stretches.at(-1);
    if (last && account.start < last.end) stretches[stretches.length - 1] = largerOf(last, account);
    else stretches.push(account);
  }
  return stretches;
}

const secondsOf = ({ bucketSeconds: [immediate, near, medium, other] }: Stretch): number =>
  immediate + near + medium + other;

/** Two records that overlap may tell the same seconds in different buckets. */
function withinItsLength(account: Stretch): Stretch {
  const { start, end, bucketSeconds } = account;
  if (secondsOf(account) <= end - start) return account;
  return { ...account, bucketSeconds: capBuckets(bucketSeconds, end - start) };
}

const sumOf = (x: Stretch, y: Stretch): Stretch => ({
  ...largerOf(x, y),
  bucketSeconds: addedBuckets(x.bucketSeconds, y.bucketSeconds),
});

function largerOf(x: Stretch, y: Stretch): Stretch {
  return {
    start: Math.min(x.start, y.start),
    end: Math.max(x.end, y.end),
    bucketSeconds: largerBuckets(x.bucketSeconds, y.bucketSeconds),
    medianAttenuationDb: Math.min(x.medianAttenuationDb, y.medianAttenuationDb),
    partial: x.partial || y.partial,
  };
}

const largerBuckets = (x: BucketSeconds, y: BucketSeconds): BucketSeconds => [
  Math.max(x[0], y[0]),
  Math.max(x[1], y[1]),
  Math.max(x[2], y[2]),
  Math.max(x[3], y[3]),
];

const addedBuckets = (x: BucketSeconds, y: BucketSeconds): BucketSeconds => [
  x[0] + y[0],
  x[1] + y[1],
  x[2] + y[2],
  x[3] + y[3],
];

/** Of two ascending lists. */
function union(x: readonly number[], y: readonly number[]): readonly number[] {
  const all: number[] = [];
  for (let i = 0, k = 0; i < x.length || k < y.length;) {
    const [p, q] = [x[i] ?? Infinity, y[k] ?? Infinity];
    all.push(Math.min(p, q));
    if (p <= q) i += 1;
    if (q <= p) k += 1;
  }
  return all;
}
