/** Contacts made up for tests of the contact store, and what a store says of them, in a form that can be compared. */
import { existsSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { afterAll } from 'vitest';
import { asEpoch } from '../../../protocol/brands.js';
import { MUTUAL, newContactColumns, PARTIAL, sealContactColumns } from '../../../protocol/contact-columns.js';
import { DAY_SECONDS, dayOf } from '../../../protocol/time.js';
import type { ColdAccount } from '../../../tracer/contacts/cold-contact.js';
import { openSegmentStore } from '../../../tracer/contacts/segment-store.js';
import type { SegmentStore, StoreSettings } from '../../../tracer/contacts/segment-store.js';
import {
  attenuationOf,
  durationAt,
  isMutual,
  nearSecondsAt,
  signalAt,
  startAt,
} from '../../../tracer/contacts/segment.js';
import type { Segment } from '../../../tracer/contacts/segment.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import type { ToSeal } from '../../../tracer/contacts/to-seal.js';
import { SealCollector } from './seal-collector.js';
import type { SealedContact } from './seal-collector.js';

export const DAY = 19_705;
export const START = DAY * DAY_SECONDS;

/** Nothing here is about losing power: where there is a file system in memory, it is quicker. */
const ROOT = existsSync('/dev/shm') ? '/dev/shm' : tmpdir();
const folders: string[] = [];

export async function temporaryFolder(): Promise<string> {
  const folder = await mkdtemp(join(ROOT, 'firebreak-contacts-'));
  folders.push(folder);
  return folder;
}

afterAll(() => Promise.all(folders.map((folder) => rm(folder, { recursive: true, force: true }))));

/** A store whose tasks are done in this thread. */
export const openInline = (dir: string, settings: StoreSettings = {}): Promise<SegmentStore> =>
  openSegmentStore(dir, { startThread: inlineTasks(settings.disk ?? NODE_STORE_DISK), ...settings });

const u16 = (max = 65_535) => fc.nat({ max });
const buckets = fc.tuple(u16(1500), u16(1500), u16(), u16());

const account: fc.Arbitrary<ColdAccount> = fc.record({
  start: fc.nat({ max: 2 ** 32 - 1 }),
  end: fc.nat({ max: 2 ** 32 - 1 }),
  bucketSeconds: fc.tuple(u16(), u16(), u16(), u16()),
  medianAttenuationDb: u16(255),
  partial: fc.boolean(),
  ledger: fc.array(fc.nat({ max: 2 ** 48 - 1 }), { maxLength: 3 }),
});

const evidence = fc.record({
  epoch: fc.nat({ max: 2 ** 32 - 1 }).map(asEpoch),
  accounts: fc.tuple(fc.array(account, { maxLength: 3 }), fc.array(account, { maxLength: 2 })),
});

/** Few people and few starts, so that contacts share both, and a pair meets twice in one second. */
export function contact(people: number, seconds: number): fc.Arbitrary<SealedContact> {
  return fc
    .record({
      pair: fc.uniqueArray(fc.nat({ max: people - 1 }), { minLength: 2, maxLength: 2 }),
      start: fc.oneof(
        fc.nat({ max: seconds }),
        fc.nat({ max: 3 }).map((n) => 600 * n),
      ),
      durationSeconds: fc.oneof(u16(1200), u16()),
      bucketSeconds: buckets,
      attenuationDb: u16(127),
      mutual: fc.boolean(),
      partial: fc.boolean(),
      nearInDay: u16(),
      evidence: fc.option(evidence, { nil: undefined }),
    })
    .map(({ pair: [p = 0, q = 0], start, ...rest }) => ({
      ...rest,
      lower: Math.min(p, q),
      upper: Math.max(p, q),
      start: START + start,
    }));
}

export function toSeal(contacts: readonly SealedContact[]): ToSeal {
  const collector = new SealCollector();
  for (const one of contacts) collector.add(one);
  return collector.columns();
}

/** People whose tags are 100, 101, … */
export function addPeople(store: SegmentStore, count: number): void {
  for (let tag = 100; tag < 100 + count; tag++) store.people.add(tag);
}

export interface Row {
  readonly person: number;
  readonly peer: number;
  readonly start: number;
  readonly duration: number;
  readonly near: number;
  readonly attenuation: number;
  readonly mutual: boolean;
  readonly nearInDay: number;
  readonly weight: number;
}

/** All entries as they lie in the segment, row by row. */
export function rowsOf(segment: Segment): Row[] {
  const rows: Row[] = [];
  for (let person = 0; person < segment.people; person++)
    for (let entry = segment.rows[person] ?? 0; entry < (segment.rows[person + 1] ?? 0); entry++)
      rows.push({
        person,
        peer: segment.peer[entry] ?? NaN,
        start: startAt(segment, entry),
        duration: durationAt(segment, entry),
        near: nearSecondsAt(segment, entry),
        attenuation: attenuationOf(signalAt(segment, entry)),
        mutual: isMutual(signalAt(segment, entry)),
        nearInDay: segment.nearInDay[entry] ?? NaN,
        weight: segment.weight[entry] ?? NaN,
      });
  return rows;
}

/** In order of start, lower and upper, then as given: the order of evidence. */
export const inTimeOrder = (contacts: readonly SealedContact[]): SealedContact[] =>
  [...contacts].sort((x, y) => x.start - y.start || x.lower - y.lower || x.upper - y.upper);

/** What a segment of these has to hold. */
export function expectedRows(contacts: readonly SealedContact[]): Row[] {
  const rows = inTimeOrder(contacts).flatMap((one) => {
    const [immediate, near, medium] = one.bucketSeconds;
    const row = {
      start: one.start,
      duration: Math.min(one.durationSeconds, 4095),
      near: Math.min(immediate + near, 4095),
      attenuation: one.attenuationDb,
      mutual: one.mutual,
      nearInDay: one.nearInDay,
      weight: Math.min(65_535, (10 * immediate + 8 * near + 3 * medium) * (one.mutual ? 2 : 1)),
    };
    return [
      { person: one.lower, peer: one.upper, ...row },
      { person: one.upper, peer: one.lower, ...row },
    ];
  });
  return rows.sort((x, y) => x.person - y.person || x.start - y.start);
}

/** A contact of columns; tags in place of persons. */
export interface Told {
  readonly lower: number;
  readonly upper: number;
  readonly start: number;
  readonly duration: number;
  readonly immediate: number;
  readonly near: number;
  readonly mutual: boolean;
  readonly partial: boolean;
}

/** One contact of {@link DAY}, for a file of it. */
export const ONE_TOLD: Told = {
  lower: 3,
  upper: 9,
  start: START + 5,
  duration: 50,
  immediate: 20,
  near: 30,
  mutual: true,
  partial: false,
};

/** The files of columns for these contacts, one a day. */
export function columnFiles(contacts: readonly Told[]): Uint8Array[] {
  const days = new Map<number, Told[]>();
  for (const one of contacts) days.set(dayOf(one.start), [...(days.get(dayOf(one.start)) ?? []), one]);
  return [...days].map(([day, some]) => columnFile(day, some));
}

export function columnFile(day: number, contacts: readonly Told[]): Uint8Array {
  const { bytes, columns } = newContactColumns(day, contacts.length);
  const sorted = [...contacts].sort((x, y) => x.start - y.start || x.lower - y.lower || x.upper - y.upper);
  for (const [k, one] of sorted.entries()) {
    columns.lower[k] = one.lower;
    columns.upper[k] = one.upper;
    columns.start[k] = one.start;
    columns.duration[k] = one.duration;
    columns.immediate[k] = one.immediate;
    columns.near[k] = one.near;
    columns.medium[k] = 7;
    columns.other[k] = 11;
    columns.attenuationDb[k] = 50;
    columns.flags[k] = (one.mutual ? MUTUAL : 0) | (one.partial ? PARTIAL : 0);
  }
  sealContactColumns(bytes);
  return bytes;
}
