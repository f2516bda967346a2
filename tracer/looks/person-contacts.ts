/** A person's contacts as an officer sees them, one by one: with whom, when, and whether it was a close contact. */
import { nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
import { contactsOfPerson, hasContacts } from '../contacts/pair-contacts.js';
import type { Met } from '../contacts/pair-contacts.js';
import { personOf } from '../contacts/people.js';
import { MAX_CONTACT_SECONDS } from '../contacts/segment.js';
import type { ContactView, Place } from '../contacts/view.js';
import { inNoContact } from './nobody-found.js';
import { Turns } from '../turns.js';
import { ClassSeconds } from '../walk/class-seconds.js';
import { MOST_NEAR_IN_DAY, needsBuckets } from '../walk/ground.js';
import { Pace } from '../walk/pace.js';

export interface PersonQuestion {
  /** A tag number in decimal digits. */
  readonly person: string;
  /** Contacts that overlap this time, both ends inclusive, unix seconds. */
  readonly from: number;
  readonly to: number;
  /** Near this long within 24 hours makes a close contact. */
  readonly minSeconds: number;
  /** Rows at most, and after which row they begin; from the first on when absent. */
  readonly limit: number;
  readonly after?: ContactPlace | undefined;
}

/** What tells a person's contacts apart, and orders them. */
export interface ContactPlace {
  readonly start: number;
  /** With whom: a tag number. */
  readonly person: string;
  /** Quarter of an hour since 1970; with the pair it names the contact. */
  readonly epoch: number;
}

export interface ContactRow extends ContactPlace {
  readonly end: number;
  readonly nearSeconds: number;
  readonly attenuationDb: number;
  readonly mutual: boolean;
  readonly qualifies: boolean;
  readonly ledger: readonly number[];
}

export interface ContactRows {
  readonly contacts: readonly ContactRow[];
  /** Whether others come after these. */
  readonly hasMore: boolean;
}

/** By start, then person, then epoch. */
const byPlace = (x: ContactPlace, y: ContactPlace): number =>
  x.start - y.start || Number(x.person) - Number(y.person) || x.epoch - y.epoch;

/**
 * A page, by start, then person, then epoch. Evidence is read of what is on it alone, while others have their
 * turns. Throws `not-found` for somebody the ledger knows no contact of, what `contactAt` throws, and the
 * reason of the signal.
 */
export async function contactRows(
  view: ContactView,
  question: PersonQuestion,
  contactAt: (place: Place) => Contact,
  signal?: AbortSignal,
): Promise<ContactRows> {
  const { limit, after } = question;
  const qualifies = closeContacts(view, question);
  const turns = new Turns(signal);
  const ahead = await metFrom(view, question, turns);
  const rows: ContactRow[] = [];
  for (let k = 0; k < ahead.length && rows.length <= limit;) {
    const alike = alikeFrom(ahead, k);
    k += alike.length;
    const told = alike.map((met) => rowOf(met, contactAt(met.place), qualifies(met))).sort(byPlace);
    rows.push(...told.filter((row) => after === undefined || byPlace(row, after) > 0));
    if (turns.isOver) await turns.next();
  }
  return { contacts: rows.slice(0, limit), hasMore: rows.length > limit };
}

/** As far as columns tell. */
interface MetTag extends Met {
  readonly tag: number;
}

const byColumns = (x: MetTag, y: MetTag): number => x.start - y.start || x.tag - y.tag;

/** Whom the person met, in order, and not before the row that the page begins after. Throws `not-found`. */
async function metFrom(
  view: ContactView,
  { person: asked, from, to, after }: PersonQuestion,
  turns: Turns,
): Promise<MetTag[]> {
  const person = personOf(view.people, Number(asked));
  if (person === undefined || !hasContacts(view, person)) throw inNoContact(asked);
  const last = after && { ...after, tag: Number(after.person) };
  const ahead: MetTag[] = [];
  for (const met of contactsOfPerson(view, person, from, to)) {
    const one = { ...met, tag: view.people.tags[met.peer] ?? NaN };
    if (last === undefined || one.start > last.start || (one.start === last.start && one.tag >= last.tag))
      ahead.push(one);
    if (turns.isOver) await turns.next();
  }
  return ahead.sort(byColumns);
}

/** From this one on those that begin at once with one person: only their evidence tells them apart. */
function alikeFrom(ahead: readonly MetTag[], from: number): readonly MetTag[] {
  const first = ahead[from];
  let end = from;
  for (let one = first; one && first && byColumns(one, first) === 0; one = ahead[end]) end += 1;
  return ahead.slice(from, end);
}

/** Which contacts of the person are close ones: those that a walk by near would go by. */
function closeContacts(view: ContactView, question: PersonQuestion): (met: Met) => boolean {
  const { minSeconds, from, to } = question;
  const ends = { first: from, last: to + MAX_CONTACT_SECONDS };
  const person = personOf(view.people, Number(question.person)) ?? NaN;
  const least = Math.min(minSeconds, MOST_NEAR_IN_DAY);
  const beyond = needsBuckets({ minSeconds })
    ? new ClassSeconds(view, { attenuation: 'near', minSeconds, ends }, new Pace(undefined))
    : undefined;
  return ({ peer, nearInDay, end }) =>
    nearInDay >= least && (beyond === undefined || beyond.reach(person, peer, end));
}

function rowOf({ tag }: MetTag, contact: Contact, qualifies: boolean): ContactRow {
  const { start, end, epoch, attenuationDb, mutual, ledger } = contact;
  return {
    person: String(tag),
    ...{ start, end, epoch, attenuationDb, mutual, ledger },
    nearSeconds: nearSecondsOf(contact),
    qualifies,
  };
}
