/** A contact graph as a view that walks go over: all of its contacts in one segment. */
import { nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
import type { ContactGraph } from '../contact-graph.js';
import { PeopleDirectory } from '../contacts/people.js';
import { buildSegment } from '../contacts/segment-build.js';
import { packSignal, saturated } from '../contacts/segment.js';
import type { ContactView } from '../contacts/view.js';
import type { HotStep } from './walk-result.js';

export interface GraphView {
  readonly view: ContactView;
  readonly ledgerOf: (step: HotStep) => readonly number[];
}

export function viewOfGraph({ contacts, people: tags, lower, upper, nearInDay }: ContactGraph): GraphView {
  const people = new PeopleDirectory(tags.length);
  for (const tag of tags) people.add(tag);
  const [a, b] = [Uint32Array.from(lower), Uint32Array.from(upper)];
  const segment = buildSegment(0, people.count, {
    ...{ count: contacts.length, lower: a, upper: b },
    start: Uint32Array.from(contacts, ({ start }) => start),
    duration: Uint16Array.from(contacts, ({ start, end }) => saturated(end - start)),
    near: Uint16Array.from(contacts, (contact) => saturated(nearSecondsOf(contact))),
    signal: Uint8Array.from(contacts, ({ attenuationDb, mutual }) => packSignal(attenuationDb, mutual)),
    nearInDay: Uint16Array.from(nearInDay, saturated),
    weight: Uint16Array.from(contacts, weightOf),
  });
  const places = placesOf(segment.rows, [a, b]);
  return {
    view: {
      ...{ version: 0, people: people.view(), segments: [segment], live: [] },
      replaced: { slots: new Int32Array(3), touched: new Uint8Array(people.count) },
    },
    ledgerOf: ({ spot }) =>
      spot.kind === 'contact' ? (contacts[places[spot.place.at] ?? -1]?.ledger ?? []) : [],
  };
}

const weightOf = ({ bucketSeconds: [immediate, near, medium], mutual }: Contact): number =>
  saturated((10 * immediate + 8 * near + 3 * medium) * (mutual ? 2 : 1));

/** The contact by entry: rows hold contacts in the order they were given. */
function placesOf(rows: Uint32Array, sides: readonly [Uint32Array, Uint32Array]): Uint32Array {
  const next = rows.slice();
  const places = new Uint32Array(2 * sides[0].length);
  for (let k = 0; k < sides[0].length; k++) for (const side of sides) places[next[side[k]!]!++] = k;
  return places;
}
