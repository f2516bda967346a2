/** The paths of a bundle, held against the definition of a trace (tracing.md): who, through whom, in time, and close enough. */
import { toHex } from '../../protocol/bytes.js';
import type { ContactStep, EvidenceRow, EvidenceStep } from '../../protocol/evidence/bundle.js';
import { DAY_SECONDS } from '../../protocol/time.js';
import { classSecondsOf, nearSecondsOf } from '../contact.js';
import type { Contact } from '../contact.js';
import type { Copresence } from './presence.js';
import { requireEvidence } from './refusal.js';
import { copresenceWeight, transmissionWeight } from '../looks/score.js';
import type { PathStep, ReachedPerson, TraceRequest } from '../looks/trace-result.js';

export type CheckedStep = PathStep & Leg;

/** A step by contact, or by presence at a gateway. */
type Leg = ContactLeg | PresenceLeg;

interface ContactLeg {
  readonly contact: Contact;
  /** Further contacts of the two in the 24 hours up to its end, without which it would not be a close one. */
  readonly supports: readonly Contact[];
}

interface PresenceLeg {
  readonly copresence: Copresence;
}

/** What the steps of a bundle name by their places. */
export interface Meetings {
  readonly contacts: readonly Contact[];
  readonly copresences: readonly Copresence[];
}

export interface CheckedPerson extends ReachedPerson {
  readonly path: readonly CheckedStep[];
}

export interface WalkTerms {
  readonly direction: 'forward' | 'backward';
  readonly request: TraceRequest;
  /** Those at hop 0: a path begins (backward: ends) at one of them and comes back to none. */
  readonly starts: ReadonlySet<string>;
}

/** What a row shows. Throws `evidence`. */
export function openRow(row: EvidenceRow, met: Meetings, terms: WalkTerms): CheckedPerson {
  const { direction, request } = terms;
  const person = String(row.person);
  const legs = row.steps.map((step) => legOf(step, met, request));
  const hop = legs.length;
  requireEvidence(
    hop >= 1 && hop <= request.hops,
    `a path of ${hop} steps, and 1 to ${request.hops} were asked`,
  );
  const people = peopleAlong(person, legs, direction);
  requireStarts(people, terms);
  const exposedAt = requireFeasible(legs, terms);
  const { earliestAt, score } = row;
  const inOrder =
    direction === 'forward'
      ? request.from <= earliestAt && earliestAt <= exposedAt
      : exposedAt <= earliestAt && earliestAt <= request.to;
  requireEvidence(inOrder, 'reached first at a time that its path rules out');
  const path = legs.map((leg, k) => stepOf(leg, people[k] ?? '', people[k + 1] ?? ''));
  return { person, hop, exposedAt, earliestAt, score, path };
}

/** Of which seconds count. */
const CLASS_WORDS = { immediate: 'immediate', near: 'near', medium: 'medium or nearer' } as const;

const meetingOf = (leg: Leg): Contact | Copresence => ('copresence' in leg ? leg.copresence : leg.contact);

function legOf(step: EvidenceStep, { contacts, copresences }: Meetings, request: TraceRequest): Leg {
  if (!('copresence' in step)) return contactLeg(step, contacts, request);
  const copresence = copresences[step.copresence];
  requireEvidence(copresence !== undefined, `it names meeting ${step.copresence}, which is not there`);
  requireLong(copresence, request);
  return { copresence };
}

/** Whatever else the two did that day (tracing.md, "Presence"). */
function requireLong({ start, end }: Copresence, { presence, minSeconds }: TraceRequest): void {
  requireEvidence(presence === true, 'it goes by presence, which was not asked for');
  const words = `only ${end - start} s at one gateway, and ${minSeconds} s were asked`;
  requireEvidence(end - start >= minSeconds, words);
}

function contactLeg(step: ContactStep, contacts: readonly Contact[], request: TraceRequest): ContactLeg {
  const at = (place: number): Contact => {
    const contact = contacts[place];
    requireEvidence(contact !== undefined, `it names contact ${place}, which is not there`);
    return contact;
  };
  const contact = at(step.contact);
  const supports = step.supports.map(at);
  requireEvidence(
    step.supports.every((place, k) => place !== step.contact && place > (step.supports[k - 1] ?? -1)),
    'the contacts behind a step are out of order',
  );
  requireClose(contact, supports, request);
  return { contact, supports };
}

/**
 * The pair's seconds of the question's class over the 24 hours up to the contact's end reach what was asked; none cited that
 * is not needed.
 */
function requireClose(
  contact: Contact,
  supports: readonly Contact[],
  { minSeconds, attenuation = 'near' }: TraceRequest,
): void {
  for (const { a, b, end } of supports) {
    requireEvidence(a === contact.a && b === contact.b, 'a contact behind a step is of other people');
    const inDay = end <= contact.end && end > contact.end - DAY_SECONDS;
    requireEvidence(inDay, 'a contact behind a step is not of the 24 hours up to its end');
  }
  const further = supports.map((other) => classSecondsOf(other, attenuation));
  const total = further.reduce((sum, seconds) => sum + seconds, classSecondsOf(contact, attenuation));
  requireEvidence(
    total >= minSeconds,
    `only ${total} s ${CLASS_WORDS[attenuation]} within 24 hours, and ${minSeconds} s were asked`,
  );
  const spare = further.length > 0 && total - Math.min(...further) >= minSeconds;
  requireEvidence(!spare, 'it cites more contacts than it takes to make a close one');
}

/** hop + 1 people, in order of time, found from the end at which the row's person stands. */
function peopleAlong(person: string, legs: readonly Leg[], direction: WalkTerms['direction']): string[] {
  const fromPerson = direction === 'forward' ? [...legs].reverse() : legs;
  const people = [person];
  for (const leg of fromPerson) {
    const met = meetingOf(leg);
    const [a, b] = [String(met.a), String(met.b)];
    const last = people.at(-1);
    requireEvidence(last === a || last === b, 'its contacts do not follow from one person to the next');
    people.push(last === a ? b : a);
  }
  return direction === 'forward' ? people.reverse() : people;
}

function requireStarts(people: readonly string[], { direction, starts }: WalkTerms): void {
  const outward = direction === 'forward' ? people : [...people].reverse();
  const [first = '', ...reached] = outward;
  requireEvidence(starts.has(first), 'its path does not lead from the case, or from a source in the bundle');
  requireEvidence(!reached.some((person) => starts.has(person)), 'its path comes back to where it began');
}

/**
 * When the person was reached. Backward is the time mirror of forward (tracing.md): a contact's start is minus its end.
 * All comparisons inclusive.
 */
function requireFeasible(legs: readonly Leg[], { direction, request }: WalkTerms): number {
  const { from, to, latentSeconds, infectiousSeconds = Infinity } = request;
  const isForward = direction === 'forward';
  const outward = isForward ? legs : [...legs].reverse();
  const closes = isForward ? to : -from;
  let ready = isForward ? from : -to;
  let reachedAt = ready;
  outward.forEach((leg, k) => {
    const met = meetingOf(leg);
    const [start, end] = isForward ? [met.start, met.end] : [-met.end, -met.start];
    const step = isForward ? k : outward.length - 1 - k;
    requireEvidence(end <= closes, `step ${step} lies outside the window of the question`);
    requireEvidence(ready <= start, `step ${step} comes before the person could pass it on`);
    requireEvidence(start <= ready + infectiousSeconds, `step ${step} comes after the infectious period`);
    reachedAt = end;
    ready = end + latentSeconds;
  });
  return isForward ? reachedAt : 0 - reachedAt;
}

function stepOf(leg: Leg, from: string, to: string): CheckedStep {
  const { start, end } = meetingOf(leg);
  const step = { from, to, start, end };
  if ('copresence' in leg) {
    const gateway = toHex(leg.copresence.gatewayId);
    return { ...step, nearSeconds: 0, mutual: false, ledger: [], gateway, ...leg };
  }
  const { mutual, ledger } = leg.contact;
  return { ...step, nearSeconds: nearSecondsOf(leg.contact), mutual, ledger, ...leg };
}

/** Presence counts as a one-sided contact with its seconds in the bucket of weight 0.3 (tracing.md, "Presence"). */
function weightOf(leg: Leg): number {
  if (!('copresence' in leg)) return transmissionWeight(leg.contact);
  const { start, end } = leg.copresence;
  return copresenceWeight(end - start);
}

/** Rounding differs with the order of multiplication. */
const ROUNDING = 1e-9;

/**
 * The rows in the order of tracing.md, one a person. A score counts every contact that may have mattered, cited or not, so
 * that it is the authority's word; yet it is never below what the last contact of the path alone gives, where the one it
 * comes from is in the bundle. Throws `evidence`.
 */
export function requireRows(rows: readonly CheckedPerson[], { direction, starts }: WalkTerms): void {
  const scores = new Map(rows.map(({ person, score }) => [person, score]));
  requireEvidence(scores.size === rows.length, 'a person is listed twice');
  rows.forEach(({ path, score }, place) => {
    const before = rows[place - 1];
    requireEvidence(before === undefined || isBefore(before, rows[place]), `person ${place} is out of order`);
    const step = direction === 'forward' ? path.at(-1) : path[0];
    const parent = direction === 'forward' ? step?.from : step?.to;
    const parentScore = starts.has(parent ?? '') ? 1 : scores.get(parent ?? '');
    const least = step && parentScore !== undefined ? parentScore * weightOf(step) : 0;
    requireEvidence(score >= least - ROUNDING, `the score of person ${place} is below what its path gives`);
  });
}

function isBefore(one: CheckedPerson, other: CheckedPerson | undefined): boolean {
  if (other === undefined) return false;
  return (
    (one.hop - other.hop || one.exposedAt - other.exposedAt || Number(one.person) - Number(other.person)) < 0
  );
}
