/**
 * The part of a bundle on presence: the reports of gateways that its steps rest on, and the certificates of these gateways. More
 * reports are looked into than are cited; secrets are handed out of the cited ones alone.
 */
import { fromHex, toHex } from '../../protocol/bytes.js';
import type { Checkpoint } from '../../protocol/tlog/checkpoint.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import type { NamedId } from '../../protocol/evidence/bundle.js';
import { MAX_REPORTS } from '../../protocol/evidence/logged.js';
import type { LoggedEvidence, ProvenEvidence } from '../../protocol/evidence/logged.js';
import type { CitedCopresence, EvidencePresence } from '../../protocol/evidence/presence.js';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import {
  decodePresenceReport,
  presenceSecret,
  readPresenceReport,
} from '../../protocol/session/presence-report.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { dayOf } from '../../protocol/time.js';
import { AskerError, telling } from '../asker-error.js';
import { judgeProofs } from '../records/beacon-proof.js';
import type { ContactView } from '../contacts/view.js';
import type { GatewayBook } from '../intake/gateway-book.js';
import { resolvePeer } from '../records/peer.js';
import { MAX_GAP_SECONDS } from '../presence/day-rows.js';
import type { PlacesView } from '../presence/report-places.js';
import { sightingOf } from '../presence/sighting.js';
import type { PathStep } from '../looks/trace-result.js';
import type { Turns } from '../turns.js';
import { payloadsNamed, provenEntries } from './fetch.js';
import { allKeptFrom, pastRetention } from './past-retention.js';
import { coverOf } from './plan-presence.js';
import type { FoundSighting } from './plan-presence.js';
import { compareCopresences } from './presence.js';

/** Where presence reports and certificates stand. */
export interface PresenceSources {
  readonly places: PlacesView;
  readonly gateways: Pick<GatewayBook, 'certificateAt'>;
}

export interface CitingDeps {
  readonly reader: LedgerReader;
  readonly dayKeysOf: DayKeysOf;
  readonly sampleHoldSeconds: number;
}

/** What the answer was made of. */
export interface CitedFrom {
  readonly view: Pick<ContactView, 'keepFrom'>;
  readonly presence?: PresenceSources | undefined;
}

/** The bundle that it is to go into. */
export interface CitingFor {
  readonly checkpoint: Checkpoint;
  readonly names: Map<string, NamedId>;
  readonly turns: Turns;
}

export interface CitedPresence {
  readonly presence: EvidencePresence;
  /** By step: its place among the co-presences. */
  readonly placeOf: ReadonlyMap<PathStep, number>;
}

/**
 * Of steps by presence; `undefined` where there is none. Adds to `names`. Throws `size` for too many reports, `not-found` for
 * those that are gone, past retention or not known, `sealing` when a day's keys are gone, what the reader throws, and what the turns do.
 */
export async function citePresence(
  steps: readonly PathStep[],
  { view, presence: sources }: CitedFrom,
  deps: CitingDeps,
  { checkpoint, names, turns }: CitingFor,
): Promise<CitedPresence | undefined> {
  const met = steps.filter(isByPresence);
  if (met.length === 0 || sources === undefined) return undefined;
  const reports = await fetchReports(met, sources, deps, { checkpoint, turns });
  const found = await sightingsIn(reports, met, deps, turns);
  const covers: (readonly [PathStep, Cover])[] = [];
  for (const step of met) {
    covers.push([step, coverOfStep(step, found, view.keepFrom)]);
    if (turns.isOver) await turns.next();
  }
  const seen = distinct(covers.flatMap(([, cover]) => cover.flat()));
  for (const { ephId, tag, epoch } of seen) names.set(toHex(ephId), { ephId, tag, epoch });
  const indexes = new Set(seen.map(({ ledgerIndex }) => ledgerIndex));
  const cited = reports.filter(({ index }) => indexes.has(index));
  const placeOfReport = new Map(cited.map(({ index }, place) => [index, place]));
  const sightings = seen.map(({ ledgerIndex, record, beacons }) => {
    return { report: placeOfReport.get(ledgerIndex) ?? 0, record, beacons };
  });
  const certificates = await certificatesOf(cited, sources, deps, checkpoint);
  const { copresences, placeOf } = placed(covers, seen);
  return { presence: { certificates, reports: cited, sightings, copresences }, placeOf };
}

type StepAtGateway = PathStep & { readonly gateway: string };
const isByPresence = (step: PathStep): step is StepAtGateway => step.gateway !== undefined;

/** All that may bear on these steps, by index, each with what opens it. */
async function fetchReports(
  met: readonly StepAtGateway[],
  { places }: PresenceSources,
  { reader, dayKeysOf }: CitingDeps,
  { checkpoint, turns }: Pick<CitingFor, 'checkpoint' | 'turns'>,
): Promise<LoggedEvidence[]> {
  const proven = await provenEntries(reader, checkpoint, await indexesOf(met, places, turns));
  const payloads = await payloadsNamed(reader, proven);
  const reports: LoggedEvidence[] = [];
  for (const [place, entry] of proven.entries()) {
    const payload = payloads[place] ?? new Uint8Array();
    const report = decodePresenceReport(payload);
    const sharedSecret = telling(['sealing'], () => presenceSecret(report, dayKeysOf));
    reports.push({ ...entry, payload, sharedSecret });
    if (turns.isOver) await turns.next();
  }
  return reports;
}

/** Ascending. Throws `size` as soon as there are more than a bundle holds. */
async function indexesOf(
  met: readonly StepAtGateway[],
  places: PlacesView,
  turns: Turns,
): Promise<readonly number[]> {
  const times = met.map(({ gateway, start, end }) => {
    return { gatewayId: fromHex(gateway), from: start - MAX_GAP_SECONDS, to: end + MAX_GAP_SECONDS };
  });
  const indexes = new Set<number>();
  for (const index of places.reportsAt(times)) {
    if (index !== undefined) indexes.add(index);
    if (indexes.size > MAX_REPORTS) throw new AskerError('size', TOO_MANY);
    if (turns.isOver) await turns.next();
  }
  return [...indexes].sort((x, y) => x - y);
}

const TOO_MANY = `more than ${MAX_REPORTS} presence reports bear on it: let it show fewer people`;

const keyOf = (gateway: string, tag: number | string): string => `${gateway}/${tag}`;

/** Of the people of these steps, by gateway and tag. */
async function sightingsIn(
  reports: readonly LoggedEvidence[],
  met: readonly StepAtGateway[],
  deps: CitingDeps,
  turns: Turns,
): Promise<ReadonlyMap<string, readonly FoundSighting[]>> {
  const found = new Map<string, FoundSighting[]>();
  for (const { gateway, from, to } of met) for (const tag of [from, to]) found.set(keyOf(gateway, tag), []);
  for (const report of reports) {
    for (const one of sightingsOf(report, deps)) found.get(keyOf(toHex(one.gatewayId), one.tag))?.push(one);
    if (turns.isOver) await turns.next();
  }
  return found;
}

/** As the tracer takes them: of tags of this authority, from a beacon on that is theirs. */
function sightingsOf(
  { index: ledgerIndex, payload, sharedSecret }: LoggedEvidence,
  { dayKeysOf, sampleHoldSeconds }: CitingDeps,
): FoundSighting[] {
  const report = decodePresenceReport(payload);
  return readPresenceReport(report, sharedSecret).flatMap((said, record) => {
    const { ephId, start } = said;
    const peer = resolvePeer(ephId, start, dayKeysOf);
    if (peer === undefined) return [];
    const { valid: beacons, isStartProven } = judgeProofs(said, ephId, peer.keys.macKey, sampleHoldSeconds);
    if (beacons === 0 || !isStartProven) return [];
    const { tag, epoch } = peer;
    const seen = sightingOf(said, { tag, beacons, gatewayId: report.gatewayId, sampleHoldSeconds });
    return [{ ...seen, epoch, ephId, ledgerIndex, record, beacons }];
  });
}

/** Of the lower tag number first. */
type Cover = readonly [one: readonly FoundSighting[], other: readonly FoundSighting[]];

/** Just after midnight a tag may still be seen by an ephemeral ID of the day before. */
const SEEN_BEFORE =
  'a stay in the answer began near the border of retention, and was seen by an ephemeral ID of a day that has left';

function coverOfStep(
  step: StepAtGateway,
  found: ReadonlyMap<string, readonly FoundSighting[]>,
  keepFrom: number,
): Cover {
  const { gateway, from, to, start } = step;
  const sideOf = (tag: string): FoundSighting[] => {
    const cover = coverOf(found.get(keyOf(gateway, tag)) ?? [], step);
    if (cover !== undefined) return cover;
    if (start < allKeptFrom(keepFrom)) throw pastRetention(keepFrom, SEEN_BEFORE);
    throw new AskerError(
      'not-found',
      'not all presence reports that a step rests on are known to this tracer, which may have read them with an earlier version: there is no evidence without them',
    );
  };
  return Number(from) < Number(to) ? [sideOf(from), sideOf(to)] : [sideOf(to), sideOf(from)];
}

const placeKey = ({ ledgerIndex, record }: FoundSighting): string => `${ledgerIndex}/${record}`;

/** By report and place, each once. */
function distinct(sightings: readonly FoundSighting[]): FoundSighting[] {
  const byPlace = new Map(sightings.map((one) => [placeKey(one), one]));
  return [...byPlace.values()].sort((x, y) => x.ledgerIndex - y.ledgerIndex || x.record - y.record);
}

function placed(covers: readonly (readonly [PathStep, Cover])[], seen: readonly FoundSighting[]) {
  const placeOfSighting = new Map(seen.map((one, place) => [placeKey(one), place]));
  const placesOf = (side: readonly FoundSighting[]) =>
    side.map((one) => placeOfSighting.get(placeKey(one)) ?? 0);
  const told = covers.map(([step, [one, other]]) => {
    const copresence: CitedCopresence = [placesOf(one), placesOf(other)];
    return { step, copresence, key: JSON.stringify(copresence) };
  });
  const byKey = new Map(told.map(({ key, copresence }) => [key, copresence]));
  const ordered = [...byKey].sort(([, x], [, y]) => compareCopresences(x, y));
  const places = new Map(ordered.map(([key], place) => [key, place]));
  return {
    copresences: ordered.map(([, copresence]) => copresence),
    placeOf: new Map(told.map(({ step, key }) => [step, places.get(key) ?? 0])),
  };
}

/** Of each report the first by which its gateway was approved when it was received; each once, by index. */
async function certificatesOf(
  reports: readonly LoggedEvidence[],
  { gateways }: PresenceSources,
  { reader }: CitingDeps,
  checkpoint: Checkpoint,
): Promise<ProvenEvidence[]> {
  const found = reports.map(({ index, entry }) => {
    const { source, sourceTimeMs } = decodeEntry(entry);
    const place = gateways.certificateAt(source, dayOf(sourceTimeMs / 1000), index);
    if (place !== undefined) return place.ledgerIndex;
    throw new AskerError(
      'not-found',
      `no certificate of the gateway of presence report ${index} for that day is known to this tracer: there is no evidence without it`,
    );
  });
  const proven = await provenEntries(
    reader,
    checkpoint,
    [...new Set(found)].sort((x, y) => x - y),
  );
  const payloads = await payloadsNamed(reader, proven);
  return proven.map((entry, place) => ({ ...entry, payload: payloads[place] ?? new Uint8Array() }));
}
