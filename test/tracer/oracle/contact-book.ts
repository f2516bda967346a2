/**
 * Merging what was reported into contacts (protocol.md §6): one side's records of one peer ID, then the two sides.
 *
 * Same reporter, same ephemeral ID: equal start is a duplicate, disjoint records add, overlapping ones and those that one beacon
 * proves take the larger of each. Then the larger of each across the two sides. An ephemeral ID is one tag in one epoch, so a pair, its epoch
 * and the reporter name one. Records are kept as told and merged when asked for: the order they come in does not matter.
 * Of two with an equal start the one that was logged first stands, and of two in one report the first that was added. Of a side
 * the first 32 count, in order of entry and then start (docs/decisions/0024).
 */
import type { Epoch, TagNumber } from '../../../protocol/brands.js';
import type { BucketSeconds } from '../../../protocol/tag/encounter-record.js';
import type { Contact } from '../../../tracer/contact.js';
import type { Testimony } from '../../../tracer/records/testimony.js';

type Account = Omit<Testimony, 'reporter' | 'peer' | 'epoch' | 'ledgerIndex'> & {
  readonly ledger: readonly number[];
};

interface Meeting {
  readonly epoch: Epoch;
  readonly a: TagNumber;
  readonly b: TagNumber;
  /** What a said and what b said: a word of one entry each, all of them. */
  readonly sides: readonly [Account[], Account[]];
  /** Merged, until something new is said. */
  contact: Contact | undefined;
}

export class ContactBook {
  readonly #meetings = new Map<string, Meeting>();
  readonly #people = new Set<TagNumber>();
  #mutual = 0;
  #version = 0;

  /** Contacts. */
  get size(): number {
    return this.#meetings.size;
  }

  /** Contacts that both sides reported. */
  get mutual(): number {
    return this.#mutual;
  }

  get people(): number {
    return this.#people.size;
  }

  /** Changes with every word that is added. */
  get version(): number {
    return this.#version;
  }

  add(testimony: Testimony): void {
    this.#version += 1;
    const meeting = this.#meetingOf(testimony);
    const [ofA, ofB] = meeting.sides;
    const [mine, theirs] = testimony.reporter === meeting.a ? [ofA, ofB] : [ofB, ofA];
    if (mine.length === 0 && theirs.length > 0) this.#mutual += 1;
    mine.push(accountOf(testimony));
    meeting.contact = undefined;
  }

  *contacts(): Generator<Contact, void, undefined> {
    for (const meeting of this.#meetings.values()) yield (meeting.contact ??= contactOf(meeting));
  }

  #meetingOf({ reporter, peer, epoch }: Testimony): Meeting {
    const [a, b] = reporter < peer ? [reporter, peer] : [peer, reporter];
    const key = `${epoch}/${a}/${b}`;
    const known = this.#meetings.get(key);
    if (known) return known;
    const meeting: Meeting = { epoch, a, b, sides: [[], []], contact: undefined };
    this.#meetings.set(key, meeting);
    this.#people.add(a).add(b);
    return meeting;
  }
}

function accountOf(testimony: Testimony): Account {
  const { start, end, bucketSeconds, medianAttenuationDb, partial, ledgerIndex } = testimony;
  return { start, end, bucketSeconds, medianAttenuationDb, partial, ledger: [ledgerIndex] };
}

const MOST_WORDS = 32;

/** Starts differ. */
function accountsOf(words: readonly Account[]): Account[] {
  const entryOf = ({ ledger }: Account): number => ledger[0] ?? 0;
  const told = new Map<string, Account>();
  for (const word of words.toReversed()) told.set(`${entryOf(word)} ${word.start}`, word);
  const inOrder = [...told.values()].sort((x, y) => entryOf(x) - entryOf(y) || x.start - y.start);
  const accounts: Account[] = [];
  for (const word of inOrder.slice(0, MOST_WORDS)) addAccount(accounts, word);
  return accounts;
}

/** A duplicate changes nothing, but that its entry is evidence too. */
function addAccount(side: Account[], account: Account): void {
  const place = side.findIndex(({ start }) => start === account.start);
  const known = side[place];
  if (known === undefined) side.push(account);
  else side[place] = { ...earlierOf(known, account), ledger: union(known.ledger, account.ledger) };
}

const earlierOf = (known: Account, other: Account): Account =>
  (other.ledger[0] ?? 0) < (known.ledger[0] ?? 0) ? other : known;

function contactOf({ a, b, epoch, sides }: Meeting): Contact {
  const told = sides.filter((side) => side.length > 0).map((side) => sideOf(accountsOf(side)));
  const { start, end, bucketSeconds, medianAttenuationDb, partial, ledger } = told.reduce(largerOf);
  const mutual = told.length === 2;
  return {
    a,
    b,
    epoch,
    start,
    end,
    bucketSeconds,
    attenuationDb: medianAttenuationDb,
    mutual,
    partial,
    ledger,
  };
}

/**
 * One side's word: the larger of those that overlap, cut to the time they take, and the sum of those that do not. What one
 * beacon proves is never added, and adds no second to the most that any of it or the rest comes to.
 */
function sideOf(accounts: readonly Account[]): Account {
  const twice = accounts.filter(({ partial }) => !partial).sort((x, y) => x.start - y.start);
  const once = accounts.filter(({ partial }) => partial);
  const stretches: Account[] = [];
  for (const account of twice) {
    const last = stretches.at(-1);
    if (last && account.start < last.end) stretches[stretches.length - 1] = largerOf(last, account);
    else stretches.push(account);
  }
  const sum: BucketSeconds[] = stretches.map(({ start, end, bucketSeconds }) =>
    leaving(bucketSeconds, end - start),
  );
  const added = sum.reduce((x, y) => eachBucket(x, y, (p, q) => p + q), [0, 0, 0, 0]);
  const told = [added, ...once.map(({ bucketSeconds }) => bucketSeconds)];
  const largest = told.reduce((x, y) => eachBucket(x, y, Math.max));
  return {
    ...accounts.reduce(largerOf),
    bucketSeconds: leaving(largest, Math.max(...told.map(totalOf))),
  };
}

const totalOf = (bucketSeconds: BucketSeconds): number => bucketSeconds.reduce((x, y) => x + y);

/** So many of these seconds, those furthest away first. */
function leaving(bucketSeconds: BucketSeconds, seconds: number): BucketSeconds {
  let left = seconds;
  const taken = bucketSeconds.toReversed().map((bucket) => {
    const some = Math.min(bucket, left);
    left -= some;
    return some;
  });
  const [other = 0, medium = 0, near = 0, immediate = 0] = taken;
  return [immediate, near, medium, other];
}

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
