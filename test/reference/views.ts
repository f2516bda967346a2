/**
 * Contact views made of a plain list of contacts, in one segment or scattered over segments and live tables, among words
 * that were replaced before the view's version and words that came after it.
 */
import { asTagNumber } from '../../protocol/brands.js';
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';
import { nearSecondsOf } from '../../tracer/contact.js';
import type { Contact } from '../../tracer/contact.js';
import { PeopleDirectory } from '../../tracer/contacts/people.js';
import { buildSegment } from '../../tracer/contacts/segment-build.js';
import type { SealedColumns } from '../../tracer/contacts/segment-build.js';
import { packSignal, saturated } from '../../tracer/contacts/segment.js';
import type { Segment } from '../../tracer/contacts/segment.js';
import { replacedSlot } from '../../tracer/contacts/view.js';
import type { ContactView, LiveTable, Place } from '../../tracer/contacts/view.js';
import type { TraceOptions } from '../../tracer/looks/trace.js';
import type { PresenceView } from '../../tracer/presence/presence-view.js';
import type { ReferenceStay } from './brute-force.js';

const DAY = 86_400;
const SEGMENTS = 3;
const REPLACED_SLOTS = 512;

/** What a table holds of a contact, and when it counts. */
interface Word {
  readonly contact: Contact;
  readonly nearInDay: number;
  /** Whether another version took its place: before the view was made, after it, or never. */
  readonly replaced: 'before' | 'after' | 'never';
}

export interface StagedView {
  readonly view: ContactView;
  readonly options: TraceOptions;
  contactAt(place: Place): Contact;
}

/** All contacts in one segment; people are numbered in order of tag. */
export const plainView = (contacts: readonly Contact[], stays: readonly ReferenceStay[] = []): StagedView =>
  stageView(contacts, () => 0, stays);

/** `draw`: a number from 0 up to, and without, the one given. With it always 0 nothing is scattered. */
export function stageView(
  contacts: readonly Contact[],
  draw: (below: number) => number,
  stays: readonly ReferenceStay[] = [],
): StagedView {
  const people = peopleIn([...contacts.flatMap(({ a, b }) => [a, b]), ...stays.map(({ tag }) => tag)], draw);
  const words = wordsOf(contacts);
  const tables: Word[][] = Array.from({ length: SEGMENTS + 2 }, () => []);
  const later: Word[] = [];
  for (const word of words) {
    const table = tables[draw(tables.length)] ?? [];
    table.push({ ...word, replaced: draw(5) === 4 ? 'after' : 'never' });
    if (draw(4) === 3) tables[draw(tables.length)]?.push({ ...changed(word), replaced: 'before' });
    if (draw(4) === 3) later.push({ ...changed(word), replaced: 'never' });
  }
  const liveWords = tables.slice(SEGMENTS);
  const version = liveWords.reduce((sum, { length }) => sum + length, 0);
  liveWords[1]?.push(...later);
  const place = (tag: number): number => people.add(tag);
  const sealed = tables.slice(0, SEGMENTS).map((inIt, k) => sealWords(7 + k, inIt, people.count, place));
  const tablesLive = liveWords.map((inIt, k) =>
    liveTable(
      { id: 7 + k, firstVersion: k === 0 ? 1 : 1 + (liveWords[0]?.length ?? 0), version },
      inIt,
      people.count,
      place,
    ),
  );
  const view = {
    version,
    people: people.view(),
    segments: sealed.map(({ segment }) => segment),
    live: tablesLive,
    replaced: replacedOf(sealed, version, people.count),
    keepFrom: 0,
  };
  const contactAt = ({ table, isLive, at }: Place): Contact => {
    const word = isLive ? liveWords[table - 7]?.[at] : sealed[table - 7]?.words.get(at);
    if (word === undefined) throw new Error('nothing stands there');
    return word.contact;
  };
  const bucketsOf = ({ id }: Segment, at: number): BucketSeconds =>
    contactAt({ table: id, isLive: false, at }).bucketSeconds;
  return {
    view,
    contactAt,
    options: {
      bucketsOf,
      presence: presenceOf(stays, people),
      ledgerOf: ({ spot }) => (spot.kind === 'contact' ? contactAt(spot.place).ledger : []),
    },
  };
}

function peopleIn(all: readonly number[], draw: (below: number) => number): PeopleDirectory {
  const tags = [...new Set(all)].sort((x, y) => x - y);
  const people = new PeopleDirectory(4);
  while (tags.length > 0) people.add(tags.splice(draw(tags.length), 1)[0] ?? NaN);
  return people;
}

function wordsOf(contacts: readonly Contact[]): Omit<Word, 'replaced'>[] {
  const ofPair = new Map<string, Contact[]>();
  for (const contact of contacts) {
    const pair = `${contact.a} ${contact.b}`;
    const known = ofPair.get(pair);
    if (known) known.push(contact);
    else ofPair.set(pair, [contact]);
  }
  return contacts.map((contact) => {
    const inDay = (ofPair.get(`${contact.a} ${contact.b}`) ?? []).filter(
      ({ end }) => end <= contact.end && end > contact.end - DAY,
    );
    return { contact, nearInDay: inDay.reduce((sum, one) => sum + nearSecondsOf(one), 0) };
  });
}

/** An older or a newer word on the same meeting, which would show if it were seen. */
const changed = ({ contact }: Omit<Word, 'replaced'>): Omit<Word, 'replaced'> => ({
  contact: {
    ...contact,
    start: contact.start + 60,
    end: contact.end + 90,
    attenuationDb: 20,
    mutual: !contact.mutual,
  },
  nearInDay: 65_535,
});

const weightOf = ({ bucketSeconds: [immediate, near, medium], mutual }: Contact): number =>
  saturated((10 * immediate + 8 * near + 3 * medium) * (mutual ? 2 : 1));

interface Sealed {
  readonly segment: Segment;
  /** By entry. */
  readonly words: ReadonlyMap<number, Word>;
}

function sealWords(
  id: number,
  unordered: readonly Word[],
  people: number,
  place: (tag: number) => number,
): Sealed {
  const words = [...unordered].sort(
    ({ contact: x }, { contact: y }) => x.start - y.start || x.a - y.a || x.b - y.b || x.epoch - y.epoch,
  );
  const contacts = words.map(({ contact }) => contact);
  const columns: SealedColumns = {
    count: words.length,
    lower: Uint32Array.from(contacts, ({ a, b }) => Math.min(place(a), place(b))),
    upper: Uint32Array.from(contacts, ({ a, b }) => Math.max(place(a), place(b))),
    start: Uint32Array.from(contacts, ({ start }) => start),
    duration: Uint16Array.from(contacts, ({ start, end }) => end - start),
    near: Uint16Array.from(contacts, nearSecondsOf),
    signal: Uint8Array.from(contacts, ({ attenuationDb, mutual }) => packSignal(attenuationDb, mutual)),
    nearInDay: Uint16Array.from(words, ({ nearInDay }) => saturated(nearInDay)),
    weight: Uint16Array.from(contacts, weightOf),
  };
  const segment = buildSegment(id, people, columns);
  const next = segment.rows.slice();
  const byEntry = new Map<number, Word>();
  words.forEach((word, k) => {
    for (const person of [columns.lower[k] ?? 0, columns.upper[k] ?? 0]) {
      byEntry.set(next[person] ?? 0, word);
      next[person] = (next[person] ?? 0) + 1;
    }
  });
  return { segment, words: byEntry };
}

function liveTable(
  {
    id,
    firstVersion,
    version,
  }: { readonly id: number; readonly firstVersion: number; readonly version: number },
  words: readonly Word[],
  people: number,
  place: (tag: number) => number,
): LiveTable {
  const contacts = words.map(({ contact }) => contact);
  const head = new Int32Array(people);
  const next = new Int32Array(2 * words.length);
  const person = new Uint32Array(2 * words.length);
  contacts.forEach(({ a, b }, row) => {
    [place(a), place(b)]
      .sort((x, y) => x - y)
      .forEach((one, side) => {
        const link = 2 * row + side;
        person[link] = one;
        next[link] = head[one] ?? 0;
        head[one] = link + 1;
      });
  });
  const died = { before: Math.max(1, version), after: version + 1, never: 0 };
  return {
    ...{ id, firstVersion, head, next, person },
    start: Uint32Array.from(contacts, ({ start }) => start),
    duration: Uint16Array.from(contacts, ({ start, end }) => end - start),
    signal: Uint8Array.from(contacts, ({ attenuationDb, mutual }) => packSignal(attenuationDb, mutual)),
    immediate: Uint16Array.from(contacts, ({ bucketSeconds }) => bucketSeconds[0]),
    near: Uint16Array.from(contacts, ({ bucketSeconds }) => bucketSeconds[1]),
    medium: Uint16Array.from(contacts, ({ bucketSeconds }) => bucketSeconds[2]),
    nearInDay: Uint16Array.from(words, ({ nearInDay }) => saturated(nearInDay)),
    weight: Uint16Array.from(contacts, weightOf),
    died: Uint32Array.from(words, ({ replaced }) => died[replaced]),
  };
}

function replacedOf(sealed: readonly Sealed[], version: number, people: number): ContactView['replaced'] {
  const slots = new Int32Array(3 * REPLACED_SLOTS);
  const touched = new Uint8Array(people);
  for (const { segment, words } of sealed) {
    for (const [entry, { replaced }] of words) {
      if (replaced === 'never') continue;
      let slot = replacedSlot(segment.id, entry) % REPLACED_SLOTS;
      while (slots[3 * slot] !== 0) slot = (slot + 1) % REPLACED_SLOTS;
      slots.set([segment.id + 1, entry, replaced === 'before' ? version : version + 1], 3 * slot);
      touched[segment.peer[entry] ?? 0] = 1;
    }
  }
  return { slots, touched };
}

function presenceOf(told: readonly ReferenceStay[], people: PeopleDirectory): PresenceView {
  const stays = told
    .map(({ tag, gateway, start, end }) => ({ person: people.add(tag), gateway, start, end }))
    .sort((x, y) => x.start - y.start);
  return {
    staysOf: (one) => stays.filter(({ person }) => person === one),
    overlapping: (at, from, to) =>
      stays.filter(({ gateway, start, end }) => gateway === at && start <= to && end >= from),
    gateways: 2,
    gatewayId: (gateway) => Uint8Array.of(0xab, gateway),
  };
}

/** The tag numbers of a view. */
export const tagsOf = ({ people }: ContactView): number[] =>
  [...people.tags.slice(0, people.count)].map(asTagNumber);
