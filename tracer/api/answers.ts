/** The questions of the API, put to a tracer. This is the one place that knows both. */
import { FirebreakError } from '../../protocol/errors.js';
import { contactsOf, otherSide, personOf } from '../contact-graph.js';
import type { ContactGraph } from '../contact-graph.js';
import { nearSecondsOf } from '../contact.js';
import type { EvidenceWish } from '../evidence/plan.js';
import type { LookUp, LookUpAnswer } from '../trace-message.js';
import type { TraceRequest } from '../trace-result.js';
import type { Tracer } from '../tracer.js';
import { afterCursor, byPlace, cursorAt } from './contact-page.js';
import type { Asking, Figures, TracerApi } from './contract.js';
import type {
  ContactsAnswer,
  ContactsQuestion,
  EvidenceQuestion,
  PathAnswer,
  PathQuestion,
} from './messages.js';
import type { Pulse } from './pulse.js';

/** What a tracer has to be for this. */
type Asked = Pick<Tracer, 'lookUp' | 'span' | 'graph' | 'status'>;

export interface AnswersGiven {
  readonly tracer: Asked;
  /** Reads on in the tracer. */
  readonly pulse: Pulse;
  readonly looksRecorded: () => number;
}

export function tracerAnswers(given: AnswersGiven): TracerApi {
  const { tracer, pulse, looksRecorded } = given;
  return {
    trace: ({ request, evidence }, asking) => lookUp(given, request, asking, evidence),
    path: ({ request }, asking) => pathTo(given, request, asking),
    contacts: ({ request }, asking) => contactsIn(given, request, asking),
    evidence: ({ request, persons }, asking) => evidenceOf(given, request, persons, asking),
    standing: () => pulse.standing(),
    figures: () => figuresOf(tracer),
    looksRecorded,
  };
}

/** Reads on, fills in the window where the question leaves it open, records the look, answers. */
async function lookUp(
  { tracer, pulse }: Pick<AnswersGiven, 'tracer' | 'pulse'>,
  request: LookUp['request'],
  { look, signal }: Asking,
  wish?: EvidenceWish,
): Promise<LookUpAnswer> {
  await pulse.catchUp(undefined, signal);
  signal.throwIfAborted(); // what is not wanted any more is not looked up
  return tracer.lookUp(wholeRequest(request, tracer), look, wish);
}

async function pathTo(
  given: AnswersGiven,
  { person, ...request }: PathQuestion['request'],
  asking: Asking,
): Promise<PathAnswer> {
  const { result, accessIndex } = await lookUp(given, request, asking);
  const reached = result.reached.find((row) => row.person === person);
  if (reached) return { accessIndex, as: 'reached', person: reached };
  const source = result.sources?.find((row) => row.person === person);
  if (source) return { accessIndex, as: 'source', person: source };
  throw new FirebreakError('not-found', 'no path of this trace leads to that person; the look is recorded');
}

async function evidenceOf(
  given: AnswersGiven,
  request: EvidenceQuestion['request'],
  persons: EvidenceQuestion['persons'],
  asking: Asking,
) {
  const { evidence, accessIndex } = await lookUp(given, request, asking, persons ? { persons } : {});
  if (evidence === undefined) throw new FirebreakError('closed', 'this tracer gives no evidence');
  return { accessIndex, bundle: evidence };
}

/** Recorded as the trace of one hop that it is: who was near this person. Each page is a look of its own. */
async function contactsIn(
  given: AnswersGiven,
  { person, from, to, minSeconds, limit, after }: ContactsQuestion['request'],
  asking: Asking,
): Promise<ContactsAnswer> {
  const isAfter = afterCursor(after);
  const oneHop = { case: person, direction: 'forward', hops: 1, minSeconds, latentSeconds: 0 } as const;
  const { result, accessIndex } = await lookUp(given, { ...oneHop, from, to }, asking);
  const window = { from: result.from, to: result.to };
  const rows = contactRows(given.tracer.graph(), Number(person), { ...window, minSeconds });
  const ahead = rows.filter(isAfter).sort(byPlace);
  const page = ahead.slice(0, limit);
  const last = page.at(-1);
  return {
    ...{ accessIndex, person, ...window },
    contacts: page,
    ...(last !== undefined && ahead.length > page.length && { next: cursorAt(last) }),
  };
}

/** Those that overlap the window. */
function contactRows(
  graph: ContactGraph,
  tag: number,
  { from, to, minSeconds }: { readonly from: number; readonly to: number; readonly minSeconds: number },
) {
  const person = personOf(graph, tag);
  if (person === undefined) return [];
  return Array.from(contactsOf(graph, person)).flatMap((k) => {
    const contact = graph.contacts[k];
    if (contact === undefined || contact.end < from || contact.start > to) return [];
    const { start, end, epoch, attenuationDb, mutual, ledger } = contact;
    const qualifies = (graph.nearInDay[k] ?? 0) >= minSeconds;
    const peer = String(graph.people[otherSide(graph, k, person)]);
    const nearSeconds = nearSecondsOf(contact);
    return [
      { person: peer, start, end, epoch, nearSeconds, attenuationDb, mutual, qualifies, ledger: [...ledger] },
    ];
  });
}

function wholeRequest(request: LookUp['request'], tracer: Asked): TraceRequest {
  const span = tracer.span() ?? { from: 0, to: 0 };
  const { infectiousSeconds, from = span.from, to = span.to, ...rest } = request;
  return { ...rest, from, to, ...(infectiousSeconds !== undefined && { infectiousSeconds }) };
}

function figuresOf(tracer: Asked): Figures {
  const { entries, contacts, people, counts } = tracer.status();
  return { entries, contacts, people, refusedReports: counts.refused };
}

/** A question put to a tracer of one's own, without HTTP. */
export function answerLookUp(
  tracer: Asked,
  pulse: Pulse,
  question: LookUp,
  signal: AbortSignal,
): Promise<LookUpAnswer> {
  const { officer, purpose, request, evidence } = question;
  return lookUp({ tracer, pulse }, request, { look: { officer, purpose }, signal }, evidence);
}
