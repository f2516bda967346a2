/** Which contacts it takes to show what a trace answered: those of the paths, and those that make them close ones. */
import { FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
import { contactsOfPair } from '../contacts/pair-contacts.js';
import { personOf } from '../contacts/people.js';
import type { ContactView, Place } from '../contacts/view.js';
import type { PathStep, ReachedPerson, TraceResult } from '../trace-result.js';

/** What evidence is asked for. */
export interface EvidenceWish {
  /** Tag numbers of those it shows, in decimal digits; everybody in the answer by default. */
  readonly persons?: readonly string[];
}

/** The rows a bundle shows. */
export type ShownRows = Required<Pick<TraceResult, 'reached' | 'sources'>>;

/**
 * The rows of those asked for; in a trace both ways also of the sources that their paths begin at. Throws `input` when
 * somebody asked for is not in the answer.
 */
export function shownRows({ reached, sources = [] }: TraceResult, { persons }: EvidenceWish): ShownRows {
  if (persons === undefined) return { reached, sources };
  const asked = new Set(persons);
  const isAsked = ({ person }: ReachedPerson) => asked.has(person);
  const shown = reached.filter(isAsked);
  const begins = new Set(shown.map(({ source }) => source));
  const found = new Set([...reached, ...sources].filter(isAsked).map(({ person }) => person));
  if (found.size < asked.size)
    throw new FirebreakError(
      'input',
      `${asked.size - found.size} of the people that the evidence is to show are not in the answer`,
    );
  return { reached: shown, sources: sources.filter((row) => isAsked(row) || begins.has(row.person)) };
}

/** The contacts that an answer was made of. */
export interface AnsweredFrom {
  readonly view: ContactView;
  /** Throws `damaged` when its evidence cannot be read. */
  readonly contactAt: (place: Place) => Contact;
}

/** The contact of a step, and the fewest others of the pair, nearest first, that make it a close one. */
export interface PlannedStep {
  readonly contact: Contact;
  readonly supports: readonly Contact[];
}

/** A step of an answer that was made of these contacts. Throws what `contactAt` throws. */
export function planStep(from: AnsweredFrom, step: PathStep, minSeconds: number): PlannedStep {
  const ofPair = contactsInDayUpTo(from, step);
  const contact = ofPair.find((one) => isContactOf(one, step));
  if (contact === undefined)
    throw new RangeError('a step of an answer is a contact of the view it was made of');
  const others = ofPair
    .filter((one) => one !== contact)
    .sort((x, y) => nearSecondsOf(y) - nearSecondsOf(x) || x.start - y.start || x.epoch - y.epoch);
  const supports: Contact[] = [];
  let near = step.nearSeconds;
  for (const other of others) {
    if (near >= minSeconds) break;
    near += nearSecondsOf(other);
    supports.push(other);
  }
  return { contact, supports };
}

/** Which two and when: there is one contact of them. */
export const keyOfContact = ({ a, b, epoch }: Contact): string => `${a}/${b}/${epoch}`;

function contactsInDayUpTo({ view, contactAt }: AnsweredFrom, { from, to, end }: PathStep): Contact[] {
  const [one, other] = [personOf(view.people, Number(from)), personOf(view.people, Number(to))];
  if (one === undefined || other === undefined) return [];
  return contactsOfPair(view, one, other, end - DAY_SECONDS + 1, end).map(contactAt);
}

function isContactOf(contact: Contact, { start, end, nearSeconds, mutual, ledger }: PathStep): boolean {
  return (
    contact.start === start &&
    contact.end === end &&
    contact.mutual === mutual &&
    nearSecondsOf(contact) === nearSeconds &&
    contact.ledger.join() === ledger.join()
  );
}
