/**
 * Presence reports of gateways (protocol.md §8): checked again, opened, their beacon MACs judged, counted, and what holds put
 * into the presence book. A report that comes again adds nothing: its sightings are there already.
 */
import { checkPresenceReport, openPresenceReport } from '../protocol/presence-report.js';
import type { PresenceReport } from '../protocol/presence-report.js';
import { FirebreakError } from '../protocol/errors.js';
import type { DayKeysOf } from '../protocol/report-open.js';
import type { EvidenceShelf } from './evidence.js';
import type { GatewayBook } from './gateway-book.js';
import { countRefusal, newTally, refusalCode } from './intake-counts.js';
import type { Tally } from './intake-counts.js';
import type { LoggedEntry } from './payloads.js';
import type { PresenceBook } from './presence/presence-book.js';
import { sightingOf } from './presence/sighting.js';
import type { Sighting } from './presence/sighting.js';
import { judgeRecord } from './record-judge.js';
import type { OpeningSettings } from './opening/open-report.js';
import type { Taken } from './reports/report-intake.js';

export interface PresenceDeps extends OpeningSettings {
  readonly dayKeysOf: DayKeysOf;
  readonly evidence: EvidenceShelf;
  readonly gateways: GatewayBook;
  /** Where sightings go; without one they are counted only. */
  readonly presence?: PresenceBook;
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

  /** The day whose keys are not there, when the report has not been looked into. */
  take(entry: LoggedEntry, payload: Uint8Array): Taken {
    try {
      const report = this.#check(entry, payload);
      if (this.#deps.dayKeysOf(report.day) === undefined) return { waitsForDay: report.day };
      this.#read(report, entry.index);
    } catch (error) {
      countRefusal(this.#tally, refusalCode(error));
    }
    return {};
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

  #read(report: PresenceReport, ledgerIndex: number): void {
    const records = openPresenceReport(report, this.#deps.dayKeysOf);
    const { presence, evidence, sampleHoldSeconds } = this.#deps;
    this.#tally.opened += 1;
    const bench = { ...this.#deps, tally: this.#tally, reporter: undefined };
    const { day, gatewayId } = report;
    const seen: Sighting[] = [];
    records.forEach((record, place) => {
      const proven = judgeRecord(record, record.ephId, bench);
      if (proven === 'forged') evidence.addForged(ledgerIndex, place);
      else if (proven?.isStartProven) {
        const { peer, beacons } = proven;
        seen.push(sightingOf(record, { tag: peer.tag, beacons, gatewayId, sampleHoldSeconds }));
      }
    });
    presence?.addReport({ day, gatewayId, ledgerIndex }, seen);
  }
}
