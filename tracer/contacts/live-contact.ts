/** A contact as rows of a live table, sealed evidence and the rest of the tracer know it, from one to another. */
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { EPOCH_SECONDS, epochOf } from '../../protocol/time.js';
import type { Contact } from '../contact.js';
import type { Testimony } from '../records/testimony.js';
import type { ColdContact } from './cold-contact.js';
import { entriesOf, mergeSides, withAccount } from './merge-accounts.js';
import type { Account, Sides } from './merge-accounts.js';
import type { LiveRow } from './live-row.js';
import { MAX_CONTACT_SECONDS } from './segment.js';

/** Which two, as persons, and when. */
export interface Meeting {
  readonly lower: number;
  readonly upper: number;
  readonly epoch: number;
}

/** No contact of this epoch begins before, unix seconds, however often it is told anew. */
export const earliestStart = (epoch: number): number => (epoch - 1) * EPOCH_SECONDS;

/** What both sides told of a meeting, as a row; its nearInDay is yet to be summed. */
export function rowOfSides({ lower, upper, epoch }: Meeting, sides: Sides): LiveRow {
  const { start, end, bucketSeconds, medianAttenuationDb, mutual, partial } = mergeSides(sides);
  const [immediate, near, medium, other] = bucketSeconds;
  // One literal: spreading parts together costs five times the rest.
  return {
    lower,
    upper,
    epoch,
    start,
    duration: end - start,
    immediate,
    near,
    medium,
    other,
    attenuationDb: medianAttenuationDb,
    mutual,
    partial,
    nearInDay: 0,
    sides,
  };
}

export function rowOfCold(cold: ColdContact, nearInDay: number): LiveRow {
  const { lower, upper, epoch, start, durationSeconds: duration, bucketSeconds, accounts } = cold;
  const [immediate, near, medium, other] = bucketSeconds;
  const { attenuationDb, mutual, partial } = cold;
  return {
    ...{ lower, upper, epoch, start, duration, immediate, near, medium, other },
    ...{ attenuationDb, mutual, partial, nearInDay, sides: isPlain(cold) ? undefined : accounts },
  };
}

/** Whether the contact itself says all there is to say of it. */
const isPlain = ({ epoch, start, accounts }: ColdContact): boolean =>
  epoch === epochOf(start) &&
  accounts.every((side) => side.length <= 1 && side.every(({ ledger }) => ledger.length === 0));

/** What was told; for a contact from columns, that it was. */
export function sidesOfRow(row: LiveRow): Sides {
  if (row.sides) return row.sides;
  const { start, duration, immediate, near, medium, other, attenuationDb, mutual, partial } = row;
  const account: Account = {
    start,
    end: start + duration,
    bucketSeconds: [immediate, near, medium, other],
    medianAttenuationDb: attenuationDb,
    partial,
    ledger: [],
  };
  return [[account], mutual ? [account] : []];
}

/** The seconds that count for nearInDay, as a segment would have them. */
export const nearSecondsOfRow = ({ immediate, near }: LiveRow): number =>
  Math.min(immediate + near, MAX_CONTACT_SECONDS);

/** The one contact that these testimonies are of; `undefined` when they are of more than one, or none. */
export function contactOfTestimonies(told: readonly Testimony[]): Contact | undefined {
  const [first] = told;
  if (first === undefined) return undefined;
  const { reporter, peer, epoch } = first;
  const isOne = told.every(
    (other) =>
      other.epoch === epoch &&
      (other.reporter === reporter
        ? other.peer === peer
        : other.reporter === peer && other.peer === reporter),
  );
  if (!isOne) return undefined;
  const saidBy = (tag: number) => told.filter((one) => one.reporter === tag).map(accountOf);
  const sides: Sides = [
    saidBy(reporter).reduce<readonly Account[]>(withAccount, []),
    saidBy(peer).reduce<readonly Account[]>(withAccount, []),
  ];
  return contactOfSides({ lower: reporter, upper: peer, epoch }, sides, (tag) => tag);
}

export function accountOf(testimony: Testimony): Account {
  const { start, end, bucketSeconds, medianAttenuationDb, partial, ledgerIndex } = testimony;
  return { start, end, bucketSeconds, medianAttenuationDb, partial, ledger: [ledgerIndex] };
}

/** The contact in full. `tagOf` gives a person's tag number. */
export function contactOfSides(
  { lower, upper, epoch }: Meeting,
  sides: Sides,
  tagOf: (person: number) => number,
): Contact {
  const { medianAttenuationDb: attenuationDb, ...merged } = mergeSides(sides);
  const [one, other] = [asTagNumber(tagOf(lower)), asTagNumber(tagOf(upper))];
  const [a, b] = one < other ? [one, other] : [other, one];
  return { a, b, epoch: asEpoch(epoch), ...merged, attenuationDb, ledger: entriesOf(sides) };
}
