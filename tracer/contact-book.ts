/**
 * Merging what was reported into contacts (protocol.md §6): one side's records of one peer ID, then the two sides.
 *
 * Same reporter, same ephemeral ID: equal start is a duplicate, disjoint ones add, overlapping ones take the larger of
 * each. Then the larger of each across the two sides.
 */
import type { Epoch, TagNumber } from '../protocol/brands.js';
import type { BucketSeconds } from '../protocol/encounter-record.js';
import type { Contact } from './contact.js';

/** A proven record of one side. */
export interface Testimony {
  readonly reporter: TagNumber;
  readonly peer: TagNumber;
  readonly epoch: Epoch;
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  readonly medianAttenuationDb: number;
  readonly ledgerIndex: number;
}

type Side = Omit<Testimony, 'reporter' | 'peer' | 'epoch' | 'ledgerIndex'> & {
  readonly ledger: readonly number[];
};

interface Meeting {
  readonly epoch: Epoch;
  readonly a: TagNumber;
  readonly b: TagNumber;
  /** What a and b said, each record with those it overlaps folded in. */
  readonly sides: { readonly ofA: Side[]; readonly ofB: Side[] };
}

export class ContactBook {
  readonly #meetings = new Map<string, Meeting>();

  get size(): number {
    return this.#meetings.size;
  }

  add(testimony: Testimony): void {
    const { reporter, peer, epoch } = testimony;
    const [a, b] = reporter < peer ? [reporter, peer] : [peer, reporter];
    const key = `${epoch}/${a}/${b}`;
    const meeting = this.#meetings.get(key) ?? { epoch, a, b, sides: { ofA: [], ofB: [] } };
    this.#meetings.set(key, meeting);
    addToSide(reporter === a ? meeting.sides.ofA : meeting.sides.ofB, sideOf(testimony));
  }

  *contacts(): Generator<Contact, void, undefined> {
    for (const { epoch, a, b, sides } of this.#meetings.values()) {
      const told = [sides.ofA, sides.ofB].filter((side) => side.length > 0).map(sumOf);
      const merged = told.reduce(largerOf);
      yield {
        a,
        b,
        epoch,
        start: merged.start,
        end: merged.end,
        bucketSeconds: merged.bucketSeconds,
        attenuationDb: merged.medianAttenuationDb,
        mutual: told.length === 2,
        ledger: merged.ledger,
      };
    }
  }
}

const sideOf = ({ start, end, bucketSeconds, medianAttenuationDb, ledgerIndex }: Testimony): Side => ({
  start,
  end,
  bucketSeconds,
  medianAttenuationDb,
  ledger: [ledgerIndex],
});

/** Keeps the records of a side disjoint; a duplicate changes nothing but that it is evidence too. */
function addToSide(records: Side[], record: Side): void {
  const touching = records.filter((known) => known.start === record.start || overlap(known, record));
  const apart = records.filter((known) => !touching.includes(known));
  const folded = touching.reduce(
    (sum, known) => (known.start === record.start ? duplicateOf(known, sum) : largerOf(known, sum)),
    record,
  );
  records.splice(0, records.length, ...apart, folded);
}

const overlap = (x: Side, y: Side): boolean => x.start < y.end && y.start < x.end;

/** The first told stands. */
const duplicateOf = (known: Side, again: Side): Side => ({
  ...known,
  ledger: union(known.ledger, again.ledger),
});

function largerOf(x: Side, y: Side): Side {
  return {
    start: Math.min(x.start, y.start),
    end: Math.max(x.end, y.end),
    bucketSeconds: eachBucket(x.bucketSeconds, y.bucketSeconds, Math.max),
    medianAttenuationDb: Math.min(x.medianAttenuationDb, y.medianAttenuationDb),
    ledger: union(x.ledger, y.ledger),
  };
}

/** Disjoint records of one side add up. */
function sumOf(records: readonly Side[]): Side {
  return records.reduce((x, y) => ({
    ...largerOf(x, y),
    bucketSeconds: eachBucket(x.bucketSeconds, y.bucketSeconds, (p, q) => p + q),
  }));
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
