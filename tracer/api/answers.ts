/** The questions of the API, put to a tracer. This is the one place that knows both. */
import { AskerError } from '../asker-error.js';
import type { ClusterAnswer } from '../cluster/cluster-message.js';
import type { ClusterRequest } from '../cluster/cluster-result.js';
import type { EvidenceWish } from '../evidence/plan.js';
import type { LookUp, LookUpAnswer } from '../looks/trace-message.js';
import type { TraceRequest } from '../looks/trace-result.js';
import type { Tracer } from '../tracer.js';
import { heldBackDays, warningsOf } from '../warnings.js';
import { windowOf } from '../looks/window.js';
import { cursorAt, placeAfter } from './contact-page.js';
import type { Asking, Figures, TracerApi } from './contract.js';
import type {
  ClusterQuestion,
  ContactsAnswer,
  ContactsQuestion,
  EvidenceQuestion,
  PathAnswer,
  PathQuestion,
} from './messages.js';
import type { Pulse } from './pulse.js';

/** What a tracer has to be for this. */
type Asked = Pick<
  Tracer,
  'lookUp' | 'lookUpPath' | 'lookUpContacts' | 'lookUpCluster' | 'span' | 'status' | 'doubts'
>;

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
    cluster: ({ request }, asking) => clusterOf(given, request, asking),
    evidence: ({ request, persons }, asking) => evidenceOf(given, request, persons, asking),
    standing: () => pulse.standing(),
    figures: () => figuresOf(tracer),
    doubts: () => tracer.doubts(),
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
  await pulse.readyFor(signal);
  return tracer.lookUp(wholeRequest(request, tracer), look, wish, signal);
}

async function pathTo(
  { tracer, pulse }: AnswersGiven,
  { person, ...request }: PathQuestion['request'],
  { look, signal }: Asking,
): Promise<PathAnswer> {
  await pulse.readyFor(signal);
  return tracer.lookUpPath(wholeRequest(request, tracer), person, look, signal);
}

async function evidenceOf(
  given: AnswersGiven,
  request: EvidenceQuestion['request'],
  persons: EvidenceQuestion['persons'],
  asking: Asking,
) {
  const { evidence, accessIndex } = await lookUp(given, request, asking, persons ? { persons } : {});
  if (evidence === undefined) throw new AskerError('closed', 'this tracer gives no evidence');
  return { accessIndex, bundle: evidence };
}

/** Each page is a look of its own. */
async function contactsIn(
  { tracer, pulse }: AnswersGiven,
  { limit, after, ...request }: ContactsQuestion['request'],
  { look, signal }: Asking,
): Promise<ContactsAnswer> {
  const place = placeAfter(after);
  await pulse.readyFor(signal);
  const { person, minSeconds } = request;
  const question = { ...windowOf(request, tracer.span()), person, minSeconds, limit, after: place };
  const { contacts, hasMore, accessIndex, missingReports } = await tracer.lookUpContacts(
    question,
    look,
    signal,
  );
  const last = contacts.at(-1);
  return {
    ...{ accessIndex, person, from: question.from, to: question.to, missingReports },
    contacts: contacts.map((row) => ({ ...row, ledger: [...row.ledger] })),
    ...(last !== undefined && hasMore && { next: cursorAt(last) }),
  };
}

/** Recorded as one look at all of the cases. */
async function clusterOf(
  { tracer, pulse }: AnswersGiven,
  request: ClusterQuestion['request'],
  { look, signal }: Asking,
): Promise<ClusterAnswer> {
  await pulse.readyFor(signal);
  return tracer.lookUpCluster(wholeClusterRequest(request, tracer), look, signal);
}

function wholeRequest(request: LookUp['request'], tracer: Asked): TraceRequest {
  return { ...request, ...windowOf(request, tracer.span({ presence: request.presence ?? false })) };
}

/** Fills in the window where the question leaves it open. Gateways are weighed by their stays, whatever walks go by. */
export function wholeClusterRequest(
  request: ClusterQuestion['request'],
  tracer: Pick<Tracer, 'span'>,
): ClusterRequest {
  const presence = request.presence === true || request.gateways !== false;
  return { ...request, ...windowOf(request, tracer.span({ presence })) };
}

function figuresOf(tracer: Asked): Figures {
  const status = tracer.status();
  const { entries, contacts, people, counts, presence } = status;
  return {
    ...{ entries, contacts, people, refusedReports: counts.refused },
    ...{ clones: counts.clones, reportGaps: status.gaps },
    forgedRecords: { tag: counts.forged, gateway: presence.forged },
    presenceReports: { opened: presence.opened, records: presence.records, refused: presence.refused },
    heldBackDays: heldBackDays(status.border),
    waitingReports: status.waiting,
    reportsWithoutRoom: status.withoutRoom,
    missingReports: status.missingPayloads,
    presenceDropped: status.presenceDropped,
    presenceFrom: status.presenceFrom ?? 0,
    warnings: [...warningsOf(status).values()],
  };
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
