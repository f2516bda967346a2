/** Which contacts it takes to show what a trace answered: those of the paths, and those that make them close ones. */
import { FirebreakError } from '../../protocol/errors.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { contactsOf, otherSide, personOf } from '../contact-graph.js';
import type { ContactGraph } from '../contact-graph.js';
import { nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
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

/** The contact of a step, and the fewest others of the pair, nearest first, that make it a close one; places in the graph. */
export interface PlannedStep {
  readonly contact: number;
  readonly supports: readonly number[];
}

/** A step of an answer that was made of this graph. */
export function planStep(graph: ContactGraph, step: PathStep, minSeconds: number): PlannedStep {
  const ofPair = contactsOfPair(graph, step);
  const contact = ofPair.find((k) => isContactOf(contactAt(graph, k), step));
  if (contact === undefined)
    throw new RangeError('a step of an answer is a contact of the graph it was made of');
  const { end } = step;
  const others = ofPair
    .filter((k) => k !== contact && isInDayUpTo(end, contactAt(graph, k)))
    .sort((x, y) => nearSecondsOf(contactAt(graph, y)) - nearSecondsOf(contactAt(graph, x)));
  const supports: number[] = [];
  let near = step.nearSeconds;
  for (const k of others) {
    if (near >= minSeconds) break;
    near += nearSecondsOf(contactAt(graph, k));
    supports.push(k);
  }
  return { contact, supports };
}

function contactsOfPair(graph: ContactGraph, { from, to }: PathStep): number[] {
  const [one, other] = [personOf(graph, Number(from)), personOf(graph, Number(to))];
  if (one === undefined || other === undefined) return [];
  return [...contactsOf(graph, one)].filter((k) => otherSide(graph, k, one) === other);
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

const isInDayUpTo = (until: number, { end }: Contact): boolean => end <= until && end > until - DAY_SECONDS;

/** The contact at a place of the graph. */
export function contactAt(graph: ContactGraph, place: number): Contact {
  const contact = graph.contacts[place];
  if (contact === undefined) throw new RangeError('no contact of this graph');
  return contact;
}
