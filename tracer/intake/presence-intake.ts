/**
 * Presence reports of gateways (protocol.md §8): checked again, opened, their beacon MACs judged, counted, and
 * what holds put into the presence book. A report that comes again adds nothing: its sightings are there
 * already.
 */
import { checkPresenceReport, openPresenceReport } from '../../protocol/session/presence-report.js';
import type { PresenceRecord, PresenceReport } from '../../protocol/session/presence-report.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import type { ProvenRecord } from '../records/beacon-proof.js';
import type { DoubtShelf } from './doubts.js';
import type { GatewayBook } from './gateway-book.js';
import { countRefusal, newTally } from './intake-counts.js';
import type { Tally } from './intake-counts.js';
import { dayOf } from '../../protocol/time.js';
import type { MidnightRecord, WaitingRecord } from '../waiting/midnight-record.js';
import type { LoggedEntry } from '../follow/payloads.js';
import type { PresenceBook } from '../presence/presence-book.js';
import { sightingOf } from '../presence/sighting.js';
import type { Sighting } from '../presence/sighting.js';
import { judgeAgain, judgeRecord } from '../records/record-judge.js';
import type { JudgeContext, Verdict } from '../records/record-judge.js';
import { refusalCode } from '../opening/open-report.js';
import type { OpeningSettings } from '../opening/open-report.js';
import type { Taken } from './report-intake.js';

export interface PresenceDeps extends OpeningSettings {
  readonly dayKeysOf: DayKeysOf;
  readonly doubts: DoubtShelf;
  readonly gateways: GatewayBook;
  /** Where sightings go. */
  readonly presence: PresenceBook;
}

export class PresenceIntake {
  readonly #deps: PresenceDeps;
  readonly #tally = newTally();

  constructor(deps: PresenceDeps) {
    this.#deps = deps;
  }

  get counts(): Tally {
    return this.#tally;
  }

  /** Puts its sightings into the book, unless it is refused or its keys are not there. It has no testimonies. */
  take(entry: LoggedEntry, payload: Uint8Array): Taken {
    try {
      const report = this.#check(entry, payload);
      const { day } = report;
      if (this.#deps.dayKeysOf(day) === undefined) return { kind: 'waits', day };
      return { kind: 'read', testimonies: [], waiting: this.#read(report, entry.index) };
    } catch (error) {
      countRefusal(this.#tally, refusalCode(error));
      return { kind: 'read', testimonies: [], waiting: [] };
    }
  }

  /** A record that waited, of a report that was taken. */
  takeAgain({ ledgerIndex, place, record }: MidnightRecord, gatewayId: Uint8Array): void {
    const { presence, doubts } = this.#deps;
    const day = dayOf(record.start);
    const verdict = judgeAgain(record, record.peerEphId, this.#judgeContext());
    if (verdict.kind === 'forged') doubts.addForged(ledgerIndex, place, day);
    const sighting = this.#sightingOf(record, verdict, gatewayId);
    if (sighting) presence.addReport({ day, gatewayId, ledgerIndex }, [sighting]);
  }

  giveUp(count: number): void {
    countRefusal(this.#tally, 'sealing', count);
  }

  #check(entry: LoggedEntry, payload: Uint8Array): PresenceReport {
    const { gateways, issuerPublicKey, retentionDays } = this.#deps;
    const gatewayPublicKey = gateways.publicKeyOf(entry.source);
    if (gatewayPublicKey === undefined)
      throw new FirebreakError('certificate', 'no certificate of this gateway is in the ledger');
    const receivedAtMs = entry.sourceTimeMs;
    const gatewayId = entry.source;
    return checkPresenceReport(payload, {
      issuerPublicKey,
      retentionDays,
      receivedAtMs,
      gatewayId,
      gatewayPublicKey,
    });
  }

  /** Gives the records that wait. */
  #read(report: PresenceReport, ledgerIndex: number): WaitingRecord[] {
    const records = openPresenceReport(report, this.#deps.dayKeysOf);
    const { presence, doubts } = this.#deps;
    this.#tally.opened += 1;
    const context = this.#judgeContext();
    const { day, gatewayId } = report;
    const told = { hearer: { kind: 'gateway', gatewayId }, ledgerIndex } as const;
    const seen: Sighting[] = [];
    const waiting: WaitingRecord[] = [];
    records.forEach((record, place) => {
      const verdict = judgeRecord(record, record.ephId, context);
      if (verdict.kind === 'forged') doubts.addForged(ledgerIndex, place, day);
      if (verdict.kind === 'waits')
        waiting.push({ ...told, place, record: asEncounter(record), waitsForDay: verdict.day });
      const sighting = this.#sightingOf(record, verdict, gatewayId);
      if (sighting) seen.push(sighting);
    });
    presence.addReport({ day, gatewayId, ledgerIndex }, seen);
    return waiting;
  }

  #judgeContext(): JudgeContext {
    const { dayKeysOf, sampleHoldSeconds } = this.#deps;
    return { dayKeysOf, sampleHoldSeconds, tally: this.#tally, reporter: undefined };
  }

  #sightingOf(record: ProvenRecord, verdict: Verdict, gatewayId: Uint8Array): Sighting | undefined {
    if (verdict.kind !== 'proven' || !verdict.isStartProven) return undefined;
    const { peer, beacons } = verdict;
    const { sampleHoldSeconds } = this.#deps;
    return sightingOf(record, { tag: peer.tag, beacons, gatewayId, sampleHoldSeconds });
  }
}

const asEncounter = ({ ephId, ...record }: PresenceRecord): EncounterRecord => ({
  ...record,
  peerEphId: ephId,
  bucketSeconds: [0, 0, 0, 0],
});
