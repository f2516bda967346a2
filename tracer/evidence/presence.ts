/**
 * What a bundle says of presence (evidence.md): gateways that were approved when they reported, their reports, and from these
 * anew who was at one gateway at one time (tracing.md, "Presence").
 */
import type { TagNumber } from '../../protocol/brands.js';
import { equalBytes, toHex } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import type { LedgerEntry } from '../../protocol/tlog/entry.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { EvidenceBundle } from '../../protocol/evidence/bundle.js';
import type { CitedRecord, LoggedEvidence, ProvenEvidence } from '../../protocol/evidence/logged.js';
import type { CitedCopresence } from '../../protocol/evidence/presence.js';
import {
  decodeGatewayCertificate,
  verifyGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import type { GatewayCertificate } from '../../protocol/session/gateway-certificate.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeGatewayPayload } from '../../protocol/payload/gateway.js';
import { checkPresenceReport, readPresenceReport } from '../../protocol/session/presence-report.js';
import type { PresenceRecord } from '../../protocol/session/presence-report.js';
import { dayOf, epochOf } from '../../protocol/time.js';
import { isFirstInPlace, proofsInPlace } from '../records/beacon-proof.js';
import { MAX_GAP_SECONDS } from '../presence/day-rows.js';
import { sightingOf } from '../presence/sighting.js';
import type { Sighting } from '../presence/sighting.js';
import type { NameBook } from './names.js';
import { inPlace, requireAllUsed, requireEvidence } from './refusal.js';
import { openEntry } from './reports.js';
import type { RecordedLook } from './reports.js';

/** Two people at one gateway at one time. */
export interface Copresence {
  /** The lower tag number of the pair. */
  readonly a: TagNumber;
  readonly b: TagNumber;
  /** Party ID, 16 bytes. */
  readonly gatewayId: Uint8Array;
  /** Unix seconds: the later start and the earlier end of what is cited of the two stays. */
  readonly start: number;
  readonly end: number;
  /** The indexes of the presence reports it rests on, ascending. */
  readonly ledger: readonly number[];
}

export interface CitedPresenceReport {
  readonly index: number;
  readonly entry: LedgerEntry;
  readonly records: readonly PresenceRecord[];
}

export interface OpenedPresence {
  readonly reports: readonly CitedPresenceReport[];
  readonly copresences: readonly Copresence[];
}

/**
 * Each report is worked on between two pauses. Throws what {@link checkPresenceReport} and {@link readPresenceReport} throw,
 * `format` or `proof` for what is not in the log, `certificate` for a gateway that was not approved then, `evidence` for what
 * does not follow, is out of order, or is not used.
 */
export function* openPresence(
  bundle: EvidenceBundle,
  checkpoint: Checkpoint,
  look: RecordedLook,
  names: NameBook,
): Generator<void, OpenedPresence, undefined> {
  const { presence, issuerPublicKey, sampleHoldSeconds } = bundle;
  if (presence === undefined) return { reports: [], copresences: [] };
  const certificates = openCertificates(presence.certificates, issuerPublicKey, checkpoint);
  const certified = new Set<number>();
  const reports: CitedPresenceReport[] = [];
  for (const [place, report] of presence.reports.entries()) {
    const opened = inPlace(`presence report ${place}, entry ${report.index}`, () => {
      const before = presence.reports[place - 1]?.index ?? -1;
      requireEvidence(before < report.index, 'it is out of order');
      requireEvidence(report.index < look.index, 'it was logged after the look');
      return openReport(report, bundle, checkpoint, { certificates, certified });
    });
    reports.push(opened);
    yield;
  }
  requireAllUsed(certificates.length, certified, 'certificate');
  const sightings = openSightings(presence.sightings, reports, names, sampleHoldSeconds);
  requireAllUsed(reports.length, new Set(presence.sightings.map(({ report }) => report)), 'presence report');
  const copresences = openCopresences(presence.copresences, sightings);
  requireAllUsed(sightings.length, new Set(presence.copresences.flat(2)), 'sighting');
  return { reports, copresences };
}

interface OpenedCertificate {
  readonly index: number;
  readonly certificate: GatewayCertificate;
}

function openCertificates(
  cited: readonly ProvenEvidence[],
  issuerPublicKey: Uint8Array,
  checkpoint: Checkpoint,
): OpenedCertificate[] {
  return cited.map((proven, place) =>
    inPlace(`certificate ${place}, entry ${proven.index}`, () => {
      requireEvidence((cited[place - 1]?.index ?? -1) < proven.index, 'it is out of order');
      openEntry(proven, checkpoint, ENTRY_TYPE.gateway);
      const statement = decodeGatewayPayload(proven.payload);
      requireEvidence(statement.kind === 'enrolled', 'it revokes a gateway');
      const certificate = decodeGatewayCertificate(statement.certificate);
      if (!verifyGatewayCertificate(issuerPublicKey, certificate, certificate.fromDay))
        throw new FirebreakError('certificate', 'the issuer did not sign it');
      return { index: proven.index, certificate };
    }),
  );
}

interface Certified {
  readonly certificates: readonly OpenedCertificate[];
  /** Places of those that a report was signed under. */
  readonly certified: Set<number>;
}

/** Signed by a gateway that the issuer had approved, in the log before it, for the day on which it was received. */
function openReport(
  logged: LoggedEvidence,
  { issuerPublicKey, retentionDays }: EvidenceBundle,
  checkpoint: Checkpoint,
  { certificates, certified }: Certified,
): CitedPresenceReport {
  const entry = openEntry(logged, checkpoint, ENTRY_TYPE.presenceReport);
  const { source: gatewayId, sourceTimeMs: receivedAtMs } = entry;
  const day = dayOf(receivedAtMs / 1000);
  const place = certificates.findIndex(({ index, certificate: { gatewayPublicKey, fromDay, toDay } }) => {
    const isOf = equalBytes(partyIdOf(gatewayPublicKey), gatewayId);
    return isOf && fromDay <= day && day <= toDay && index < logged.index;
  });
  const found = certificates[place];
  if (found === undefined)
    throw new FirebreakError('certificate', 'no certificate in the bundle approves its gateway for that day');
  certified.add(place);
  const { gatewayPublicKey } = found.certificate;
  const context = { issuerPublicKey, retentionDays, receivedAtMs, gatewayId, gatewayPublicKey };
  const report = checkPresenceReport(logged.payload, context);
  return { index: logged.index, entry, records: readPresenceReport(report, logged.sharedSecret) };
}

type CitedSighting = Sighting & { readonly ledgerIndex: number };

function openSightings(
  cited: readonly CitedRecord[],
  reports: readonly CitedPresenceReport[],
  names: NameBook,
  sampleHoldSeconds: number,
): CitedSighting[] {
  return cited.map(({ report: place, record: recordPlace, beacons }, k) =>
    inPlace(`sighting ${k}`, () => {
      const before = cited[k - 1];
      const inOrder =
        before === undefined ||
        before.report < place ||
        (before.report === place && before.record < recordPlace);
      requireEvidence(inOrder, 'it is out of order');
      const report = reports[place];
      const record = report?.records[recordPlace];
      requireEvidence(report !== undefined && record !== undefined, 'it cites a record that is not there');
      const { tag, epoch } = names.nameOf(record.ephId);
      requireEvidence(
        Math.abs(epoch - epochOf(record.start)) <= 1,
        'an ephemeral ID that was heard outside its epoch',
      );
      requireEvidence(
        isFirstInPlace(record) && beacons <= proofsInPlace(record),
        'a beacon is said to prove a record in which it is out of place',
      );
      const gatewayId = report.entry.source;
      const seen = sightingOf(record, { tag, beacons, gatewayId, sampleHoldSeconds });
      return { ...seen, ledgerIndex: report.index };
    }),
  );
}

function openCopresences(
  cited: readonly CitedCopresence[],
  sightings: readonly CitedSighting[],
): Copresence[] {
  return cited.map((sides, place) =>
    inPlace(`meeting ${place} at a gateway`, () => {
      const before = cited[place - 1];
      requireEvidence(before === undefined || compareCopresences(before, sides) < 0, 'it is out of order');
      return copresenceOf(sides, sightings);
    }),
  );
}

/** Below 0 where the one comes first, 0 for the same. */
export function compareCopresences(one: CitedCopresence, other: CitedCopresence): number {
  return compareLists(one[0], other[0]) || compareLists(one[1], other[1]);
}

function compareLists(one: readonly number[], other: readonly number[]): number {
  const place = one.findIndex((value, k) => value !== other[k]);
  if (place === -1) return one.length - other.length;
  return (one[place] ?? 0) - (other[place] ?? -1);
}

function copresenceOf([one, other]: CitedCopresence, sightings: readonly CitedSighting[]): Copresence {
  const [mine, theirs] = [stayOf(one, sightings), stayOf(other, sightings)];
  requireEvidence(mine.tag < theirs.tag, 'it is of one person, or of two in the wrong order');
  const { gatewayId } = mine;
  requireEvidence(
    equalBytes(gatewayId, theirs.gatewayId),
    `the two were at different gateways, ${toHex(gatewayId)} and ${toHex(theirs.gatewayId)}`,
  );
  const start = Math.max(mine.start, theirs.start);
  const end = Math.min(mine.end, theirs.end);
  requireEvidence(start <= end, 'the two were not there at one time');
  for (const { sightings: of } of [mine, theirs]) requireFewest(of, start, end);
  const indexes = [...mine.sightings, ...theirs.sightings].map(({ ledgerIndex }) => ledgerIndex);
  const ledger = [...new Set(indexes)].sort((x, y) => x - y);
  return { a: mine.tag, b: theirs.tag, gatewayId, start, end, ledger };
}

interface CitedStay extends Sighting {
  readonly sightings: readonly CitedSighting[];
}

/** A run of sightings of one tag at one gateway, as a stay is: it is maximal by the authority's word. */
function stayOf(places: readonly number[], all: readonly CitedSighting[]): CitedStay {
  const sightings = places.map((place) => {
    const sighting = all[place];
    requireEvidence(sighting !== undefined, `it names sighting ${place}, which is not there`);
    return sighting;
  });
  const [first, last] = [sightings[0], sightings.at(-1)];
  requireEvidence(first !== undefined && last !== undefined, 'nobody was seen for it');
  const { tag, gatewayId } = first;
  sightings.forEach((sighting, k) => {
    requireEvidence(sighting.tag === tag, 'a stay in it is of different people');
    requireEvidence(equalBytes(sighting.gatewayId, gatewayId), 'a stay in it is at different gateways');
    const before = sightings[k - 1];
    if (before === undefined) return;
    const follows = before.start < sighting.start && before.end < sighting.end;
    requireEvidence(follows, 'the sightings of a stay do not follow one another');
    const gap = sighting.start - before.end;
    requireEvidence(gap <= MAX_GAP_SECONDS, `a stay in it was broken off for ${gap} s`);
  });
  return { tag, gatewayId, start: first.start, end: last.end, sightings };
}

/** None that could be left out with the time they shared the same: nobody's data is shown for nothing. */
function requireFewest(sightings: readonly CitedSighting[], start: number, end: number): void {
  const isSpare = (place: number): boolean => {
    const [before, after] = [sightings[place - 1], sightings[place + 1]];
    if (before === undefined) return after !== undefined && after.start <= start;
    return after === undefined ? before.end >= end : after.start - before.end <= MAX_GAP_SECONDS;
  };
  requireEvidence(!sightings.some((_, place) => isSpare(place)), 'it cites more sightings than it takes');
}
