/**
 * Makes the evidence bundle of an answer (evidence.md). It takes the day keys, to hand out of each cited report the one secret
 * that opens it and nothing else. What comes out has been checked, as whoever gets it will.
 */
import { isDeepStrictEqual } from 'node:util';
import { asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import { toHex } from '../../protocol/bytes.js';
import { openCheckpoint } from '../../protocol/tlog/checkpoint.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { encodeEvidence } from '../../protocol/evidence/bundle.js';
import type { EvidenceRow, EvidenceStep, NamedId } from '../../protocol/evidence/bundle.js';
import type { CitedRecord, LoggedEvidence } from '../../protocol/evidence/logged.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import type { NoteVerifier } from '../../protocol/tlog/note.js';
import { readReport, reportSecret, resolveReporter } from '../../protocol/tag/report-open.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { decodeReport } from '../../protocol/tag/report.js';
import type { RecordedAccess } from '../looks/access.js';
import { AskerError, telling } from '../asker-error.js';
import { judgeProofs } from '../records/beacon-proof.js';
import type { Contact } from '../contact.js';
import { wordsThatCount } from '../contacts/merge-accounts.js';
import { checkEvidenceInTurns } from './check.js';
import { citePresence } from './cite-presence.js';
import type { CitedPresence } from './cite-presence.js';
import { payloadsNamed, provenEntries, readerUntil } from './fetch.js';
import type { ProvenEntry } from './fetch.js';
import type { CheckedPerson, CheckedStep } from './paths.js';
import { keyOfContact, planStep, shownRows } from './plan.js';
import type { AnsweredFrom, EvidenceWish, PlannedStep, ShownRows } from './plan.js';
import { resolvePeer } from '../records/peer.js';
import type { PathStep, ReachedPerson, TraceRequest, TraceResult } from '../looks/trace-result.js';
import { Turns } from '../turns.js';

export interface EvidenceDeps {
  readonly reader: LedgerReader;
  readonly verifier: NoteVerifier;
  readonly dayKeysOf: DayKeysOf;
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
  readonly sampleHoldSeconds: number;
  /** The key the tracer writes its looks with. */
  readonly signer: Signer;
}

export interface Answered {
  readonly result: TraceResult;
  /** The contacts it was answered from. */
  readonly from: AnsweredFrom;
  readonly access: RecordedAccess;
  /** A checkpoint, as the signed note it is, that covers the entry of the look. */
  readonly note: string;
}

/**
 * The bundle, signed. Throws `input` for people who are not in the answer, `size` for more than a bundle holds, `not-found`
 * or `sealing` for what is past retention (contacts, pruned reports, reports whose day's keys were destroyed meanwhile),
 * `damaged` when what the ledger holds does not bear the answer out, what the reader throws, and the reason of the signal.
 * Others have their turns on this thread meanwhile.
 */
export async function makeEvidence(
  { result, from, access, note }: Answered,
  given: EvidenceDeps,
  wish: EvidenceWish,
  signal?: AbortSignal,
): Promise<Uint8Array> {
  signal?.throwIfAborted();
  const deps = { ...given, reader: readerUntil(signal, given.reader) };
  const turns = new Turns(signal);
  const shown = shownRows(result, wish);
  const steps = [...new Set([...shown.reached, ...shown.sources].flatMap(({ path }) => path))];
  const planned = await plannedSteps(steps, from, result, turns);
  const cited = citedContacts(planned.values());
  const checkpoint = openCheckpoint(note, deps.verifier);
  const { look, reports } = await fetchLogged(deps, checkpoint, access, cited);
  const names = new Map<string, NamedId>();
  const opened = await inTurns(reports, turns, (report) => openReport(report, deps, names));
  const byIndex = new Map(opened.map((report, place) => [report.logged.index, { ...report, place }]));
  const contacts = await inTurns(cited, turns, (contact) => {
    return { contact, records: recordsOf(contact, byIndex, deps, names) };
  });
  contacts.sort((x, y) => compareFirst(x.records, y.records));
  const atGateways = await citePresence(steps, from, deps, { checkpoint, names, turns });
  const placeOf = new Map(contacts.map(({ contact }, place) => [keyOfContact(contact), place]));
  const rowOf = rowCiter(planned, placeOf, atGateways);
  const { issuerPublicKey, retentionDays, sampleHoldSeconds, signer } = deps;
  const content = {
    ...{ issuerPublicKey, retentionDays, sampleHoldSeconds, checkpoint: note, access: look },
    reports: opened.map(({ logged }) => logged),
    names: [...names.values()].sort((x, y) => Buffer.compare(x.ephId, y.ephId)),
    contacts: contacts.map(({ records }) => records),
    sources: shown.sources.map(rowOf),
    reached: shown.reached.map(rowOf),
    ...(atGateways && { presence: atGateways.presence }),
  };
  const bundle = telling(['size'], () => encodeEvidence(content, signer));
  await requireSame(bundle, shown, deps, { turns, signal });
  return bundle;
}

async function inTurns<From, To>(
  list: readonly From[],
  turns: Turns,
  make: (one: From) => To,
): Promise<To[]> {
  const made: To[] = [];
  for (const one of list) {
    made.push(make(one));
    if (turns.isOver) await turns.next();
  }
  return made;
}

/** Those by contact. */
async function plannedSteps(
  steps: readonly PathStep[],
  from: AnsweredFrom,
  request: TraceRequest,
  turns: Turns,
): Promise<ReadonlyMap<PathStep, PlannedStep>> {
  const byContact = steps.filter(({ gateway }) => gateway === undefined);
  return new Map(await inTurns(byContact, turns, (step) => [step, planStep(from, step, request)] as const));
}

/** Each once. */
function citedContacts(planned: Iterable<PlannedStep>): Contact[] {
  const cited = [...planned].flatMap(({ contact, supports }) => [contact, ...supports]);
  return [...new Map(cited.map((contact) => [keyOfContact(contact), contact])).values()];
}

type Fetched = ProvenEntry & { readonly payload: Uint8Array };

/** The payload of the look is the tracer's own: the ledger need not hand it out again. */
async function fetchLogged(
  { reader }: EvidenceDeps,
  checkpoint: Checkpoint,
  { index, payload, sharedSecret }: RecordedAccess,
  cited: readonly Contact[],
): Promise<{ readonly look: LoggedEvidence; readonly reports: readonly Fetched[] }> {
  const indexes = [...new Set(cited.flatMap(({ ledger }) => ledger))].sort((x, y) => x - y);
  const proven = await provenEntries(reader, checkpoint, [...indexes, index]);
  const [look, reports] = [proven.at(-1), proven.slice(0, -1)];
  if (look === undefined) throw new RangeError('one entry was asked for at least');
  const payloads = await payloadsNamed(reader, reports);
  return {
    look: { ...look, payload, sharedSecret },
    reports: reports.map((entry, place) => ({ ...entry, payload: payloads[place] ?? new Uint8Array() })),
  };
}

interface Opened {
  readonly logged: LoggedEvidence;
  readonly reporter: TagNumber;
  readonly records: readonly EncounterRecord[];
}

function openReport(fetched: Fetched, { dayKeysOf }: EvidenceDeps, names: Map<string, NamedId>): Opened {
  const envelope = decodeReport(fetched.payload);
  const sharedSecret = telling(['sealing'], () => reportSecret(envelope, dayKeysOf));
  const { epoch, ephId } = envelope.credential;
  const reporter = resolveReporter(envelope, dayKeysOf);
  names.set(toHex(ephId), { ephId, tag: reporter, epoch });
  const { records } = readReport(envelope, sharedSecret);
  return { logged: { ...fetched, sharedSecret }, reporter, records };
}

/** What counts of what the two sides said of this meeting, in the reports that the contact rests on. */
function recordsOf(
  { a, b, epoch, ledger }: Contact,
  reports: ReadonlyMap<number, Opened & { readonly place: number }>,
  { dayKeysOf, sampleHoldSeconds }: EvidenceDeps,
  names: Map<string, NamedId>,
): CitedRecord[] {
  const told = ledger.flatMap((ledgerIndex) => {
    const opened = reports.get(ledgerIndex);
    if (opened === undefined) return [];
    const { place: report, reporter } = opened;
    return opened.records.flatMap((said, record) => {
      const { peerEphId: ephId, start } = said;
      const peer = resolvePeer(ephId, start, dayKeysOf);
      const isTheirs = peer?.epoch === epoch && peer.tag === (reporter === a ? b : a);
      if (!isTheirs) return [];
      const { valid: beacons } = judgeProofs(said, ephId, peer.keys.macKey, sampleHoldSeconds);
      if (beacons === 0) return [];
      const [cited, name] = [{ report, record, beacons } as const, { ephId, tag: peer.tag, epoch }];
      return [{ reporter, ledgerIndex, start, cited, name }];
    });
  });
  const counting = wordsThatCount(told);
  for (const { name } of counting) names.set(toHex(name.ephId), name);
  return counting.map(({ cited }) => cited);
}

function compareFirst([one]: readonly CitedRecord[], [other]: readonly CitedRecord[]): number {
  if (one === undefined || other === undefined) return 0;
  return one.report - other.report || one.record - other.record;
}

/** Rows as the bundle has them. `placeOf`: of contacts, by {@link keyOfContact}. */
function rowCiter(
  planned: ReadonlyMap<PathStep, PlannedStep>,
  placeOf: ReadonlyMap<string, number>,
  atGateways: CitedPresence | undefined,
): (row: ReachedPerson) => EvidenceRow {
  const placed = (contact: Contact): number => placeOf.get(keyOfContact(contact)) ?? 0;
  const stepOf = (step: PathStep): EvidenceStep => {
    const copresence = atGateways?.placeOf.get(step);
    if (copresence !== undefined) return { copresence };
    const known = planned.get(step);
    if (known === undefined) throw new RangeError('each step of an answer is cited');
    const supports = known.supports.map(placed).sort((x, y) => x - y);
    return { contact: placed(known.contact), supports };
  };
  return ({ person, earliestAt, score, path }) => {
    return { person: asTagNumber(Number(person)), earliestAt, score, steps: path.map(stepOf) };
  };
}

/** A bundle that says anything but the answer would be worse than none. Throws `damaged`. */
async function requireSame(
  bundle: Uint8Array,
  { reached, sources }: ShownRows,
  { verifier, issuerPublicKey }: EvidenceDeps,
  { turns, signal }: { readonly turns: Turns; readonly signal: AbortSignal | undefined },
): Promise<void> {
  const problem = 'the evidence in the ledger does not bear out the answer. Run firebreak ledger verify';
  try {
    const terms = { openCheckpoint: (note: string) => openCheckpoint(note, verifier), issuerPublicKey };
    const checked = await checkEvidenceInTurns(bundle, terms, turns);
    const shows = { reached: asAnswered(checked.reached), sources: asAnswered(checked.sources ?? []) };
    if (isDeepStrictEqual(shows, { reached, sources })) return;
  } catch (cause) {
    signal?.throwIfAborted();
    throw new AskerError('damaged', `${problem}: ${(cause as Error).message}`, { cause });
  }
  throw new AskerError('damaged', problem);
}

/** The rows as a trace gives them. */
function asAnswered(people: readonly CheckedPerson[]): ReachedPerson[] {
  const stepOf = (step: CheckedStep): PathStep => {
    const { from, to, start, end, nearSeconds, mutual, ledger, gateway } = step;
    const told = { from, to, start, end, nearSeconds, mutual, ledger };
    return gateway === undefined ? told : { ...told, gateway };
  };
  return people.map((person) => ({ ...person, path: person.path.map(stepOf) }));
}
