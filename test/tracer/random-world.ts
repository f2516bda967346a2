/**
 * Small worlds by chance: who met whom and who stayed where in a few days, what was reported of it, and when each report is logged:
 * late, out of order, more than once, with other contents, or never.
 */
import fc from 'fast-check';
import { fastSigner } from '../../protocol/crypto/ed25519.js';
import type { BucketSeconds, EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import type { PresenceRecord } from '../../protocol/session/presence-report.js';
import { reportHash } from '../../protocol/tag/report.js';
import { DAY_SECONDS, dayOf, epochOf, EPOCH_SECONDS } from '../../protocol/time.js';
import { epochAt, gateway, gatewayEntry, NOON, presenceReportOf, recordOf, reportOf } from './deployment.js'; // prettier-ignore
import type { Appended } from './memory-log.js';

export const FIRST_DAY = dayOf(NOON);
const HOUR = 3_600;
const gateways = [gateway, ...['second', 'third'].map((name) => fastSigner(sha256(Buffer.from(name))))];

/** An entry, and when it reaches the ledger. */
export interface Delivery {
  /** Unix seconds. */
  readonly at: number;
  /** Of what a report of it says. */
  readonly day: number;
  readonly entry: Appended;
  /** Whether the ledger has lost the payload by the time that somebody asks for it. */
  readonly isMissing: boolean;
}

export interface World {
  readonly people: number;
  readonly days: number;
  readonly retentionDays: number;
  /** Days whose keys come late. */
  readonly lateDays: readonly number[];
  /** By how many days: while the reports of the day before are kept. */
  readonly lateBy: number;
  /** In order of time. */
  readonly deliveries: readonly Delivery[];
}

interface Meeting {
  readonly one: number;
  readonly other: number;
  readonly day: number;
  readonly second: number;
  readonly seconds: number;
  /** How far the ephemeral IDs that were heard are from the epoch. */
  readonly epochs: number;
  readonly told: 'one' | 'other' | 'both';
  readonly shift: number;
  readonly near: number;
  readonly isPartial: boolean;
}

interface Visit {
  readonly tag: number;
  readonly at: number;
  readonly day: number;
  readonly second: number;
  readonly quarters: number;
  readonly seconds: number;
  readonly epochs: number;
  readonly isPartial: boolean;
}

/** What becomes of a report. */
interface Fate {
  /** Hours until its tag meets a gateway, and from there to the ledger. */
  readonly waits: number;
  readonly travels: number;
  readonly copies: number;
  readonly kind: 'comes' | 'is lost' | 'is missing' | 'is cloned';
  readonly records: number;
}

/** Often near midnight, or within the same two hours as others. */
const second = fc.oneof(
  { weight: 3, arbitrary: fc.integer({ min: 12 * HOUR, max: 14 * HOUR }) },
  { weight: 2, arbitrary: fc.integer({ min: 0, max: 150 }) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_SECONDS - 900, max: DAY_SECONDS - 1 }) },
  { weight: 1, arbitrary: fc.integer({ min: DAY_SECONDS - 150, max: DAY_SECONDS - 1 }) },
  { weight: 2, arbitrary: fc.nat({ max: DAY_SECONDS - 1 }) },
);
const epochs = fc.constantFrom(0, 0, 0, -1, 1);
const isPartial = fc.nat({ max: 7 }).map((n) => n === 0);

const meetingOf = (people: number, days: number): fc.Arbitrary<Meeting> =>
  fc
    .record({
      ...{ one: fc.nat({ max: people - 1 }), further: fc.integer({ min: 1, max: people - 1 }) },
      ...{ day: fc.nat({ max: days - 1 }), second, seconds: fc.integer({ min: 60, max: 900 }) },
      ...{ epochs, isPartial, told: fc.constantFrom('one', 'other', 'both', 'both') },
      ...{ shift: fc.nat({ max: 90 }), near: fc.constantFrom(1, 1, 0.8, 0.5) },
    })
    .map(({ one, further, ...rest }) => ({ ...rest, one: one + 1, other: ((one + further) % people) + 1 }));

const visitOf = (people: number, days: number): fc.Arbitrary<Visit> =>
  fc.record({
    ...{ tag: fc.integer({ min: 1, max: people }), at: fc.nat({ max: gateways.length - 1 }) },
    ...{ day: fc.nat({ max: days - 1 }), second, quarters: fc.integer({ min: 1, max: 4 }) },
    ...{ seconds: fc.integer({ min: 400, max: 880 }), epochs, isPartial },
  });

const hours = fc.oneof(
  { weight: 4, arbitrary: fc.integer({ min: 0, max: 3 }) },
  { weight: 1, arbitrary: fc.integer({ min: 4, max: 30 }) },
  { weight: 1, arbitrary: fc.integer({ min: 24, max: 100 }) },
);
const fate: fc.Arbitrary<Fate> = fc.record({
  ...{ waits: hours, travels: hours, copies: fc.constantFrom(0, 0, 0, 1, 2) },
  kind: fc.constantFrom('comes', 'comes', 'comes', 'comes', 'comes', 'is lost', 'is missing', 'is cloned'),
  records: fc.integer({ min: 1, max: 4 }),
});

export const world: fc.Arbitrary<World> = fc
  .record({
    people: fc.integer({ min: 3, max: 8 }),
    days: fc.integer({ min: 2, max: 7 }),
    retentionDays: fc.integer({ min: 2, max: 4 }),
  })
  .chain(({ people, days, retentionDays }) =>
    fc.record({
      ...{ people: fc.constant(people), days: fc.constant(days), retentionDays: fc.constant(retentionDays) },
      lateDays: fc.subarray(Array.from({ length: days }, (_, k) => FIRST_DAY + k), { minLength: 1, maxLength: 2 }), // prettier-ignore
      ...{ mayBeLate: fc.boolean(), lateBy: fc.integer({ min: 1, max: retentionDays - 1 }) },
      meetings: fc.array(meetingOf(people, days), { minLength: 16, maxLength: 50, size: 'max' }),
      visits: fc.array(visitOf(people, days), { maxLength: 20, size: 'max' }),
      fates: fc.array(fate, { minLength: 1, maxLength: 24, size: 'max' }),
    }),
  )
  .map(({ meetings, visits, fates, lateDays, mayBeLate, ...rest }) => {
    const late = mayBeLate ? lateDays : [];
    const setting: Setting = { fates, lateDays: late, retentionDays: rest.retentionDays };
    const deliveries = [
      ...certificates(rest.days),
      ...ofTags(meetings, setting),
      ...ofGateways(visits, setting),
    ];
    return { ...rest, lateDays: late, deliveries: deliveries.sort((x, y) => x.at - y.at) };
  });

interface Setting {
  readonly fates: readonly Fate[];
  readonly lateDays: readonly number[];
  readonly retentionDays: number;
}

const startOf = ({ day, second: since }: { readonly day: number; readonly second: number }): number =>
  (FIRST_DAY + day) * DAY_SECONDS + since;

/** Each is good for a week. */
const certificates = (days: number): Delivery[] =>
  gateways.flatMap((of) =>
    Array.from({ length: Math.ceil((days + 9) / 6) }, (_, k) => {
      const fromDay = FIRST_DAY - 1 + 6 * k;
      return { at: (FIRST_DAY - 1) * DAY_SECONDS, day: fromDay, entry: gatewayEntry(undefined, { of, fromDay }), isMissing: false }; // prettier-ignore
    }),
  );

const forged = { minuteOffset: 0, mac: new Uint8Array(6).fill(1) };

function saidOf(peer: number, start: number, meeting: Meeting): EncounterRecord {
  const { near, seconds, isPartial: isOnce } = meeting;
  const record = recordOf(peer, start, seconds, epochAt(start, meeting.epochs));
  const immediate = Math.floor(near * seconds);
  const bucketSeconds: BucketSeconds = [immediate, 0, seconds - immediate, 0];
  return { ...record, bucketSeconds, ...(isOnce && { proofB: forged }) };
}

interface Told {
  readonly tag: number;
  readonly record: EncounterRecord;
}

/** By tag and day of the records' start, in order of time. */
function ofTags(meetings: readonly Meeting[], setting: Setting): Delivery[] {
  const told = meetings.flatMap((meeting): Told[] => {
    const { one, other, shift } = meeting;
    const start = startOf(meeting);
    const mine = { tag: one, record: saidOf(other, start, meeting) };
    const theirs = { tag: other, record: saidOf(one, start + shift, meeting) };
    return meeting.told === 'both' ? [mine, theirs] : [meeting.told === 'one' ? mine : theirs];
  });
  told.sort((x, y) => x.record.start - y.record.start);
  const byTag = grouped(told, ({ tag }) => tag);
  return [...byTag].flatMap(([tag, all]) => ofTag(tag, all.map(({ record }) => record), setting)); // prettier-ignore
}

function ofTag(tag: number, all: readonly EncounterRecord[], setting: Setting): Delivery[] {
  const deliveries: Delivery[] = [];
  let prev: Uint8Array | undefined;
  let left = [...all];
  for (let seq = 0; left.length > 0; seq++) {
    const given = fateOf(7 * tag + seq, setting);
    const day = dayOf(left[0]?.start ?? 0);
    const ofDay = left.filter(({ start }) => dayOf(start) === day);
    const records = ofDay.slice(0, given.records);
    left = left.slice(records.length);
    const times = timesOf(records, given, setting);
    const sealed = (nonce: number, said = records): Appended =>
      reportOf({ tag, seq, records: said, at: times.received, nonce, ...(prev && { prev }) });
    const payloads = [sealed(0), ...Array.from({ length: given.copies }, (_, k) => sealed(k))];
    if (given.kind === 'is cloned') payloads.push(sealed(9, records.map((one) => ({ ...one, samples: 3 })))); // prettier-ignore
    prev = reportHash(payloads[0]?.payload ?? new Uint8Array());
    deliveries.push(...delivered(payloads, day, times, given, setting));
  }
  return deliveries;
}

const fateOf = (number: number, { fates }: Setting): Fate => fates[number % fates.length]!;

interface Times {
  readonly received: number;
  readonly logged: number;
}

/**
 * What names an ephemeral ID of another day, or is told where keys come late, does not wait long: once the keys of that day are
 * gone, whoever reads it then knows less for good.
 */
function timesOf(
  records: readonly Pick<EncounterRecord, 'start' | 'durationSeconds'>[],
  { waits, travels }: Fate,
  { lateDays }: Setting,
): Times {
  // prettier-ignore
  const last = Math.max(...records.map(({ start, durationSeconds }) => start + durationSeconds));
  const isUrgent = lateDays.length > 0 || records.some((one) => isNearMidnight(one.start));
  const most = isUrgent ? 6 * HOUR : Infinity;
  const received = last + 120 + Math.min(waits * HOUR, most);
  return { received, logged: received + Math.min(travels * HOUR, most) };
}

const isNearMidnight = (start: number): boolean =>
  dayOf(start - EPOCH_SECONDS) !== dayOf(start + 2 * EPOCH_SECONDS);

/** A ledger takes in no report of a day that has left retention. */
function delivered(
  payloads: readonly Appended[],
  day: number,
  { logged }: Times,
  given: Fate,
  { retentionDays }: Setting,
): Delivery[] {
  // prettier-ignore
  if (given.kind === 'is lost') return [];
  return payloads
    .map((entry, k) => ({
      at: logged + 5 * HOUR * k,
      day,
      entry,
      isMissing: given.kind === 'is missing' && isAlike(entry, payloads[0]),
    }))
    .filter(({ at }) => dayOf(at) <= day + retentionDays);
}

const isAlike = (one: Appended, other: Appended | undefined): boolean =>
  other !== undefined && Buffer.compare(one.payload, other.payload) === 0;

/** Each gateway reports each quarter of an hour. */
function ofGateways(visits: readonly Visit[], setting: Setting): Delivery[] {
  const seen = visits.flatMap((visit) =>
    Array.from({ length: visit.quarters }, (_, k) => {
      const start = startOf(visit) + k * EPOCH_SECONDS;
      const heard = recordOf(visit.tag, start, visit.seconds, epochAt(start, visit.epochs));
      const record: PresenceRecord = { ...heard, ephId: heard.peerEphId };
      return { at: visit.at, record: visit.isPartial ? { ...record, proofB: forged } : record };
    }),
  );
  const reports = grouped(seen, ({ at, record }) => `${at} ${epochOf(record.start)}`);
  return [...reports.values()].flatMap((said, number) => {
    const records = said.map(({ record }) => record);
    const given = fateOf(number, setting);
    const times = timesOf(records, given, setting);
    const day = dayOf(records[0]?.start ?? 0);
    const entry = presenceReportOf(records, times.received, gateways[said[0]?.at ?? 0]);
    const entries = Array.from({ length: 1 + given.copies }, () => entry);
    return delivered(entries, day, times, given, setting);
  });
}

function grouped<T, K>(all: readonly T[], keyOf: (one: T) => K): ReadonlyMap<K, readonly T[]> {
  const groups = new Map<K, T[]>();
  for (const one of all) groups.set(keyOf(one), [...(groups.get(keyOf(one)) ?? []), one]);
  return groups;
}
