/** Which contacts it takes to show what a trace answered: those of the paths, and those that make them close ones. */
import { DAY_SECONDS, EPOCH_SECONDS } from '../../protocol/time.js';
import { AskerError } from '../asker-error.js';
import { classSecondsOf, nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
import { contactsOfPair } from '../contacts/pair-contacts.js';
import { personOf } from '../contacts/people.js';
import type { ContactView, Place } from '../contacts/view.js';
import type { PresenceSources } from './cite-presence.js';
import { allKeptFrom, pastRetention } from './past-retention.js';
import type { PathStep, ReachedPerson, TraceRequest, TraceResult } from '../looks/trace-result.js';

/** What evidence is asked for. */
export interface EvidenceWish {
  /** Tag numbers of those it shows, in decimal digits; everybody in the answer by default. */
  readonly persons?: readonly string[];
}

/** Of people that were asked for in vain. */
const MAX_NAMED = 8;

/** The rows a bundle shows. */
export type ShownRows = Required<Pick<TraceResult, 'reached' | 'sources'>>;

/**
 * The rows of those asked for; in a trace both ways also of the sources that their paths begin at. Throws `input` when
 * somebody asked for is not in the answer.
 */
export function shownRows(answer: TraceResult, { persons }: EvidenceWish): ShownRows {
  const { reached, sources = [] } = answer;
  if (persons === undefined) return { reached, sources };
  const asked = new Set(persons);
  const isAsked = ({ person }: ReachedPerson) => asked.has(person);
  const shown = reached.filter(isAsked);
  const begins = new Set(shown.map(({ source }) => source));
  const found = new Set([...reached, ...sources].filter(isAsked).map(({ person }) => person));
  const missing = [...asked].filter((person) => !found.has(person));
  if (missing.length > 0) throw notInAnswer(missing, answer);
  return { reached: shown, sources: sources.filter((row) => isAsked(row) || begins.has(row.person)) };
}

function notInAnswer(missing: readonly string[], answer: TraceResult): AskerError {
  const { reached, reachedCount, sources = [], sourceCount = 0 } = answer;
  const named = missing.slice(0, MAX_NAMED).join(', ');
  const more = missing.length - MAX_NAMED;
  const others = more > 0 ? ` and ${more} more` : '';
  const unlisted = reachedCount - reached.length + sourceCount - sources.length;
  const longer =
    unlisted > 0 ? `; ${unlisted} more people are counted in it and not listed: ask for a longer list` : '';
  return new AskerError(
    'input',
    `not in the answer, so evidence cannot show them: ${named}${others}${longer}`,
  );
}

/** The contacts that an answer was made of. */
export interface AnsweredFrom {
  readonly view: ContactView;
  /** Throws `damaged` when its evidence cannot be read. */
  readonly contactAt: (place: Place) => Contact;
  /** Where presence that it went by too is told of. */
  readonly presence?: PresenceSources | undefined;
}

/** The 24-hour sum of a contact near the border of retention still counts contacts that have left. */
const BEGAN_BEFORE =
  'a contact in the answer began before the border of retention, or is a close one only together with such';

/** The contact of a step, and the fewest others of the pair, longest first, that make it a close one. */
export interface PlannedStep {
  readonly contact: Contact;
  readonly supports: readonly Contact[];
}

/**
 * A step of an answer that was made of these contacts. Throws `not-found` when it takes contacts past retention to show it or to
 * make it a close one, and what `contactAt` throws.
 */
export function planStep(
  from: AnsweredFrom,
  step: PathStep,
  { minSeconds, attenuation = 'near' }: Pick<TraceRequest, 'minSeconds' | 'attenuation'>,
): PlannedStep {
  const { keepFrom } = from.view;
  const secondsOf = (one: Contact): number => classSecondsOf(one, attenuation);
  const ofPair = contactsInDayUpTo(from, step);
  const contact = ofPair.find((one) => isContactOf(one, step));
  if (contact === undefined)
    throw new RangeError('a step of an answer is a contact of the view it was made of');
  if (takesDaysBefore(keepFrom, contact)) throw pastRetention(keepFrom, BEGAN_BEFORE);
  const others = ofPair
    .filter((one) => one !== contact && !takesDaysBefore(keepFrom, one))
    .sort((x, y) => secondsOf(y) - secondsOf(x) || x.start - y.start || x.epoch - y.epoch);
  const supports: Contact[] = [];
  let seconds = secondsOf(contact);
  for (const other of others) {
    if (seconds >= minSeconds) break;
    seconds += secondsOf(other);
    supports.push(other);
  }
  if (seconds < minSeconds && step.end < allKeptFrom(keepFrom)) throw pastRetention(keepFrom, BEGAN_BEFORE);
  return { contact, supports };
}

/** It is kept for its end, but a report of it, or the ephemeral ID in one, is of a day that has left retention with its keys. */
const takesDaysBefore = (keepFrom: number, { start, epoch }: Contact): boolean =>
  Math.min(start, epoch * EPOCH_SECONDS) < keepFrom;

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
