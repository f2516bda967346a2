/**
 * From a logged report to testimonies: checked again, opened, its sender and peers resolved, its beacon MACs judged
 * (protocol.md §6, §8). What fails is counted and set apart; it never stops the tracer.
 */
import { sha256 } from '../protocol/hash.js';
import type { TagNumber } from '../protocol/brands.js';
import type { EncounterRecord } from '../protocol/encounter-record.js';
import { checkReport } from '../protocol/report-check.js';
import { openReport } from '../protocol/report-open.js';
import type { DayKeysOf, OpenedReport } from '../protocol/report-open.js';
import { REPORT_KINDS } from '../protocol/report.js';
import type { ReportEnvelope } from '../protocol/report.js';
import { dayOfEpoch } from '../protocol/time.js';
import type { Testimony } from './testimony.js';
import type { EvidenceShelf } from './evidence.js';
import { countRefusal, newTally, refusalCode } from './intake-counts.js';
import type { Tally } from './intake-counts.js';
import type { LoggedEntry } from './payloads.js';
import { judgeRecord } from './record-judge.js';
import { ReportChains } from './report-chain.js';
import { testimonyOf } from './testimony.js';

export interface IntakeSettings {
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
  readonly sampleHoldSeconds: number;
}

export interface IntakeDeps extends IntakeSettings {
  readonly dayKeysOf: DayKeysOf;
  readonly evidence: EvidenceShelf;
}

/** Testimonies; or the day whose keys are not there, and the report has not been looked into. */
export interface Taken {
  readonly testimonies?: readonly Testimony[];
  readonly waitsForDay?: number;
}

const NOTHING: Taken = {};

export class ReportIntake {
  readonly #deps: IntakeDeps;
  readonly #tally = newTally();
  /** What is remembered of the reports that were read. */
  readonly chains = new ReportChains();

  constructor(deps: IntakeDeps) {
    this.#deps = deps;
  }

  get counts(): Tally {
    return this.#tally;
  }

  /** Reports that another names as the one before it and that have not come. */
  get gaps(): number {
    return this.chains.gaps;
  }

  /** A report that came and is pruned: whoever names it as the one before leaves no gap. */
  notePruned({ payloadSha256 }: LoggedEntry): void {
    this.chains.notePruned(payloadSha256); // H(report) is that of the whole payload
  }

  /** Of a tag report; nothing for one that is refused or known already. */
  take(entry: LoggedEntry, payload: Uint8Array): Taken {
    try {
      const report = this.#check(entry, payload);
      if (report.kind !== REPORT_KINDS.encounters) return NOTHING;
      const waitsForDay = this.#dayWithoutKeys(report);
      if (waitsForDay !== undefined) return { waitsForDay };
      return this.#read(openReport(report, this.#deps.dayKeysOf), report.day, entry);
    } catch (error) {
      countRefusal(this.#tally, refusalCode(error));
      return NOTHING;
    }
  }

  /** A report whose keys will not come any more. */
  giveUp(): void {
    countRefusal(this.#tally, 'sealing');
  }

  #check(entry: LoggedEntry, payload: Uint8Array): ReportEnvelope {
    const { issuerPublicKey, retentionDays } = this.#deps;
    return checkReport(payload, {
      issuerPublicKey,
      retentionDays,
      receivedAtMs: entry.sourceTimeMs,
      gatewayId: entry.source,
    });
  }

  /** Opening takes the keys of the report's day, naming its sender those of the credential's. */
  #dayWithoutKeys({ day, credential }: ReportEnvelope): number | undefined {
    return [day, dayOfEpoch(credential.epoch)].find((needed) => this.#deps.dayKeysOf(needed) === undefined);
  }

  #read({ tag, plaintext, plaintextBytes }: OpenedReport, day: number, entry: LoggedEntry): Taken {
    const tally = this.#tally;
    const { index } = entry;
    tally.opened += 1;
    const verdict = this.chains.add({
      tag,
      day,
      seq: plaintext.seq,
      prev: plaintext.prev,
      reportHash: entry.payloadSha256, // H(report) is that of the whole payload
      plaintextHash: sha256(plaintextBytes),
      ledgerIndex: index,
    });
    if (verdict.kind === 'retry') tally.repeated += 1;
    if (verdict.kind === 'clone') {
      tally.clones += 1;
      this.#deps.evidence.add({ kind: 'clone', ledger: [verdict.firstIndex, index] });
    }
    if (verdict.kind !== 'new') return NOTHING;
    return { testimonies: this.#testimoniesOf(tag, plaintext.records, index) };
  }

  #testimoniesOf(
    reporter: TagNumber,
    records: readonly EncounterRecord[],
    ledgerIndex: number,
  ): readonly Testimony[] {
    const { dayKeysOf, sampleHoldSeconds, evidence } = this.#deps;
    const bench = { dayKeysOf, sampleHoldSeconds, evidence, tally: this.#tally, reporter };
    const told: Testimony[] = [];
    for (const [place, record] of records.entries()) {
      const proven = judgeRecord(record, record.peerEphId, bench, { ledgerIndex, place });
      if (proven === undefined) continue;
      const { peer, beacons } = proven;
      told.push(testimonyOf(record, { peer, beacons, reporter, sampleHoldSeconds, ledgerIndex }));
    }
    return told;
  }
}
