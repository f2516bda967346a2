/** Every contact of a store or a tracer, in full. */
import type { Contact } from '../../../tracer/contact.js';
import { placesOf } from '../../../tracer/contacts/pair-contacts.js';
import type { ContactView, Place } from '../../../tracer/contacts/view.js';

export interface ContactSource {
  view(): ContactView;
  contactAt(view: ContactView, place: Place): Contact;
}

export interface Standing extends Contact {
  readonly nearInDay: number;
}

/** By start, pair and epoch. */
export function standingIn(source: ContactSource, view = source.view()): Standing[] {
  const standing = [...placesOf(view)].map((place) => ({
    ...source.contactAt(view, place),
    nearInDay: nearInDayAt(view, place),
  }));
  return standing.sort((x, y) => x.start - y.start || x.a - y.a || x.b - y.b || x.epoch - y.epoch);
}

export const contactsIn = (source: ContactSource): Contact[] =>
  standingIn(source).map(({ nearInDay: _, ...contact }) => contact);

function nearInDayAt(view: ContactView, { table, isLive, at }: Place): number {
  const tables = isLive ? view.live : view.segments;
  return tables.find(({ id }) => id === table)?.nearInDay[at] ?? NaN;
}
