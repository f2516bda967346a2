/** A person's contacts as an officer sees them, one by one: with whom, when, and whether it was a close contact. */
import { FirebreakError } from '../protocol/errors.js';
import { nearSecondsOf } from './contact.js';
import type { Contact } from './contact.js';
import { contactsOfPerson } from './contacts/pair-contacts.js';
import { personOf } from './contacts/people.js';
import type { ContactView, Place } from './contacts/view.js';

export interface PersonQuestion {
  /** A tag number in decimal digits. */
  readonly person: string;
  /** Contacts that overlap this time, both ends inclusive, unix seconds. */
  readonly from: number;
  readonly to: number;
  /** Near this long within 24 hours makes a close contact. */
  readonly minSeconds: number;
}

export interface ContactRow {
  /** With whom: a tag number. */
  readonly person: string;
  readonly start: number;
  readonly end: number;
  /** Quarter of an hour since 1970; with the pair it names the contact. */
  readonly epoch: number;
  readonly nearSeconds: number;
  readonly attenuationDb: number;
  readonly mutual: boolean;
  readonly qualifies: boolean;
  readonly ledger: readonly number[];
}

/** By start, then person. Throws `not-found` for somebody the ledger knows no contact of, and what `contactAt` throws. */
export function contactRows(
  view: ContactView,
  { person: asked, from, to, minSeconds }: PersonQuestion,
  contactAt: (place: Place) => Contact,
): ContactRow[] {
  const person = personOf(view.people, Number(asked));
  if (person === undefined)
    throw new FirebreakError('not-found', `${asked} is in no contact that the ledger holds`);
  const rows = Array.from(contactsOfPerson(view, person, from, to), ({ place, peer, nearInDay }) => {
    const contact = contactAt(place);
    const { start, end, epoch, attenuationDb, mutual, ledger } = contact;
    return {
      person: String(view.people.tags[peer]),
      ...{ start, end, epoch, attenuationDb, mutual, ledger },
      nearSeconds: nearSecondsOf(contact),
      qualifies: nearInDay >= minSeconds,
    };
  });
  return rows.sort((x, y) => x.start - y.start || Number(x.person) - Number(y.person) || x.epoch - y.epoch);
}
