/**
 * Checks an evidence bundle (evidence.md) with the log's public key and nothing else: no ledger, no network, no day key. Pure.
 *
 * The parts are checked before the signature over the whole, so that a bundle that was changed is refused with what is wrong
 * in it where that can be told; whatever was changed, the signature no longer holds.
 */
import type { RecordedQuestion } from '../../protocol/payload/access-question.js';
import { equalBytes } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { FirebreakError } from '../../protocol/errors.js';
import { decodeEvidence, requireEvidenceSignature } from '../../protocol/evidence/bundle.js';
import type { EvidenceBundle, EvidenceRow } from '../../protocol/evidence/bundle.js';
import type { Contact } from '../contact.js';
import { openContacts } from './contacts.js';
import { openNames } from './names.js';
import { openRow, requireRows } from './paths.js';
import type { CheckedPerson, Meetings, WalkTerms } from './paths.js';
import { openPresence } from './presence.js';
import type { CitedPresenceReport } from './presence.js';
import { inPlace, requireAllUsed, requireEvidence } from './refusal.js';
import { openLook, openReports } from './reports.js';
import type { CitedReport, RecordedLook } from './reports.js';
import { requireBounds } from '../looks/trace.js';
import type { TraceRequest } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';

export interface EvidenceTerms {
  /** Opens the bundle's checkpoint with the log's key, and with whatever else the reader demands of a checkpoint. */
  readonly openCheckpoint: (note: string) => Checkpoint;
  /** Whose credentials the tags must have; by default the bundle's own word for it. */
  readonly issuerPublicKey?: Uint8Array;
}

export interface CheckedEvidence {
  readonly checkpoint: Checkpoint;
  /** The same as a signed note, with whatever signatures of others it has. */
  readonly note: string;
  readonly tracerPublicKey: Uint8Array;
  readonly issuerPublicKey: Uint8Array;
  readonly sampleHoldSeconds: number;
  readonly retentionDays: number;
  /** Who asked what, and why, as the log has it. */
  readonly look: RecordedLook;
  readonly request: TraceRequest;
  readonly reports: readonly CitedReport[];
  /** Of gateways; none where no step goes by presence. */
  readonly presenceReports: readonly CitedPresenceReport[];
  readonly contacts: readonly Contact[];
  readonly reached: readonly CheckedPerson[];
  /** In a trace both ways: the possible sources. */
  readonly sources?: readonly CheckedPerson[];
}

/**
 * What a bundle shows. Throws `format` or `size` for what is no bundle; `signature` or `foreign` for its checkpoint; `proof`
 * for an entry that is not in the log; `input` for a recorded question out of bounds; a report’s own refusals and `sealing`;
 * `evidence` for what does not follow; `signature` when nothing else is wrong and it is still not what the tracer signed.
 */
export function checkEvidence(bytes: Uint8Array, terms: EvidenceTerms): CheckedEvidence {
  const checking = stepsOfCheck(bytes, terms);
  for (;;) {
    const step = checking.next();
    if (step.done === true) return step.value;
  }
}

/** As {@link checkEvidence}, while others have their turns on this thread. Throws what the turns throw too. */
export async function checkEvidenceInTurns(
  bytes: Uint8Array,
  terms: EvidenceTerms,
  turns: Turns,
): Promise<CheckedEvidence> {
  const checking = stepsOfCheck(bytes, terms);
  for (;;) {
    const step = checking.next();
    if (step.done === true) return step.value;
    if (turns.isOver) await turns.next();
  }
}

function* stepsOfCheck(bytes: Uint8Array, terms: EvidenceTerms): Generator<void, CheckedEvidence, undefined> {
  const bundle = decodeEvidence(bytes);
  const checkpoint = inPlace('the checkpoint of the bundle', () => terms.openCheckpoint(bundle.checkpoint));
  requireIssuer(bundle, terms.issuerPublicKey);
  const look = openLook(bundle, checkpoint);
  const request = requestIn(look.record);
  const names = openNames(bundle.names);
  const reports = yield* openReports(bundle, checkpoint, look, names);
  const contacts = openContacts(bundle, reports, names);
  const presence = yield* openPresence(bundle, checkpoint, look, names);
  const { copresences, reports: presenceReports } = presence;
  names.requireAllUsed();
  requireMeetingsUsed(bundle, { contacts, copresences });
  const people = openPeople(bundle, { contacts, copresences }, request);
  requireCount(people, look.record.reachedCount);
  requireEvidenceSignature(bytes, bundle);
  const { tracerPublicKey, issuerPublicKey, sampleHoldSeconds, retentionDays } = bundle;
  const settings = { tracerPublicKey, issuerPublicKey, sampleHoldSeconds, retentionDays };
  const shown = { look, request, reports, presenceReports, contacts };
  return { ...settings, checkpoint, note: bundle.checkpoint, ...shown, ...people };
}

function requireIssuer({ issuerPublicKey }: EvidenceBundle, expected: Uint8Array | undefined): void {
  const isOurs = expected === undefined || equalBytes(issuerPublicKey, expected);
  requireEvidence(isOurs, 'the bundle rests on the credentials of another issuer than the one given');
}

const DIRECTIONS = ['forward', 'backward', 'both'] as const;

/** The question is not in the bundle: it is the one that was recorded. */
function requestIn(record: RecordedQuestion): TraceRequest {
  const { cases, question, hops, from, to, minSeconds, latentSeconds, infectiousSeconds, attenuation } =
    record;
  const direction = DIRECTIONS.find((one) => one === question);
  const isTrace = direction !== undefined && cases.length === 1;
  if (!isTrace) throw new FirebreakError('evidence', 'the look asked what no bundle shows');
  const request = {
    case: String(cases[0]),
    ...{ direction, hops, from, to, minSeconds, latentSeconds },
    ...(infectiousSeconds !== null && { infectiousSeconds }),
    ...(attenuation !== 'near' && { attenuation }),
    ...(record.presence && { presence: true }),
  };
  inPlace('the question in the look', () => requireBounds(request));
  return request;
}

function requireMeetingsUsed({ sources, reached }: EvidenceBundle, met: Meetings): void {
  const [contacts, copresences] = [new Set<number>(), new Set<number>()];
  for (const step of [...sources, ...reached].flatMap((row) => row.steps)) {
    if ('copresence' in step) copresences.add(step.copresence);
    else for (const contact of [step.contact, ...step.supports]) contacts.add(contact);
  }
  requireAllUsed(met.contacts.length, contacts, 'contact');
  requireAllUsed(met.copresences.length, copresences, 'meeting at a gateway');
}

type People = Pick<CheckedEvidence, 'reached' | 'sources'>;

function openPeople(bundle: EvidenceBundle, met: Meetings, request: TraceRequest): People {
  const open = (what: string, rows: readonly EvidenceRow[], terms: WalkTerms): CheckedPerson[] => {
    const people = rows.map((row, place) => inPlace(`${what} ${place}`, () => openRow(row, met, terms)));
    inPlace(`the list of ${what}s`, () => requireRows(people, terms));
    return people;
  };
  const fromCase = new Set([request.case]);
  if (request.direction !== 'both') {
    requireEvidence(bundle.sources.length === 0, 'it lists sources, which were not asked for');
    const terms = { direction: request.direction, request, starts: fromCase };
    return { reached: open('reached person', bundle.reached, terms) };
  }
  const sources = open('source', bundle.sources, { direction: 'backward', request, starts: fromCase });
  const starts = new Set([request.case, ...sources.map(({ person }) => person)]);
  const reached = open('reached person', bundle.reached, { direction: 'forward', request, starts });
  return {
    sources,
    reached: reached.map((row) => ({ ...row, source: row.path[0]?.from ?? request.case })),
  };
}

/** As many as the answer had, or fewer: a bundle may show some of them. */
function requireCount({ reached, sources = [] }: People, answered: number): void {
  const shown = new Set([...reached, ...sources].map(({ person }) => person)).size;
  requireEvidence(shown <= answered, `it shows ${shown} people, and the recorded answer had ${answered}`);
}
