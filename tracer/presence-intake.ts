/**
 * Presence reports of gateways (protocol.md §8): checked again, opened, their beacon MACs judged, counted. Traces do not
 * use them yet; what is counted shows whether they would hold.
 */
import { checkPresenceReport, openPresenceReport } from '../protocol/presence-report.js';
import type { PresenceReport } from '../protocol/presence-report.js';
import { FirebreakError } from '../protocol/errors.js';
import type { GatewayBook } from './gateway-book.js';
import { countRefusal, newTally, refusalCode } from './intake-counts.js';
import type { IntakeCounts } from './intake-counts.js';
import type { LoggedEntry } from './payloads.js';
import { judgeRecord } from './record-judge.js';
import type { IntakeDeps, Taken } from './report-intake.js';

export class PresenceIntake {
  readonly #deps: IntakeDeps & { readonly gateways: GatewayBook };
  readonly #tally = newTally();

  constructor(deps: IntakeDeps & { readonly gateways: GatewayBook }) {
    this.#deps = deps;
  }

  get counts(): IntakeCounts {
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

  giveUp(): void {
    countRefusal(this.#tally, 'sealing');
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
    this.#tally.opened += 1;
    const bench = { ...this.#deps, tally: this.#tally, reporter: undefined };
    records.forEach((record, place) => judgeRecord(record, record.ephId, bench, { ledgerIndex, place }));
  }
}
