/**
 * From a logged report to testimonies: checked again, opened, its sender and peers resolved, its beacon MACs judged
 * (protocol.md §6, §8). What fails is counted and set apart; it never stops the tracer.
 */
import { toHex } from '../protocol/bytes.js';
import { sha256 } from '../protocol/hash.js';
import type { TagNumber } from '../protocol/brands.js';
import type { EncounterRecord } from '../protocol/encounter-record.js';
import { FirebreakError } from '../protocol/errors.js';
import type { ErrorCode } from '../protocol/errors.js';
import type { IndexedEntry } from '../protocol/log-verifier.js';
import { checkReport } from '../protocol/report-check.js';
import { openReport } from '../protocol/report-open.js';
import type { DayKeysOf, OpenedReport } from '../protocol/report-open.js';
import { encodeReportPlaintext } from '../protocol/report-plaintext.js';
import type { ReportPlaintext } from '../protocol/report-plaintext.js';
import { reportHash, REPORT_KINDS } from '../protocol/report.js';
import { capBuckets, judgeProofs } from './beacon-proof.js';
import type { Testimony } from './contact-book.js';
import { resolvePeer } from './peer.js';

export interface IntakeSettings {
  readonly issuerPublicKey: Uint8Array;
  readonly dayKeysOf: DayKeysOf;
  readonly retentionDays: number;
  readonly sampleHoldSeconds: number;
}

export interface IntakeCounts {
  opened: number;
  /** Same H(report), or a retry: same tag, same seq. */
  repeated: number;
  /** Same tag and seq with another plaintext: somebody copied a tag. */
  clones: number;
  /** A report that does not name the one before it. */
  gaps: number;
  records: number;
  partial: number;
  /** Records whose beacon MACs are nobody's: replayed or forged. */
  forged: number;
  /** Records of an ID that is not ours, of another epoch, or of the reporter itself. */
  unresolved: number;
  readonly refused: Map<ErrorCode, number>;
}

interface TagChain {
  /** H(plaintext) by seq, to tell a retry from a clone. */
  readonly seen: Map<number, string>;
  /** H of every report of the newest seq: the successor may name any. */
  lastHashes: readonly string[];
  lastSeq: number;
}

const NO_PREVIOUS = '00'.repeat(32);

export class ReportIntake {
  readonly counts: IntakeCounts = {
    opened: 0,
    repeated: 0,
    clones: 0,
    gaps: 0,
    records: 0,
    partial: 0,
    forged: 0,
    unresolved: 0,
    refused: new Map(),
  };
  readonly #settings: IntakeSettings;
  readonly #chains = new Map<TagNumber, TagChain>();

  constructor(settings: IntakeSettings) {
    this.#settings = settings;
  }

  /** What a tag report testifies; nothing for one that is refused or known already. */
  take(entry: IndexedEntry, payload: Uint8Array): Testimony[] {
    const opened = this.#open(entry, payload);
    if (opened === undefined || !this.#isNew(opened, payload)) return [];
    return opened.plaintext.records.flatMap((record) => this.#judge(opened.tag, record, entry.index));
  }

  #open(entry: IndexedEntry, payload: Uint8Array): OpenedReport | undefined {
    const { issuerPublicKey, retentionDays, dayKeysOf } = this.#settings;
    try {
      const report = checkReport(payload, {
        issuerPublicKey,
        retentionDays,
        receivedAtMs: entry.sourceTimeMs,
        gatewayId: entry.source,
      });
      if (report.kind !== REPORT_KINDS.encounters) return undefined;
      const opened = openReport(report, dayKeysOf);
      this.counts.opened += 1;
      return opened;
    } catch (error) {
      const code = error instanceof FirebreakError ? error.code : 'format';
      this.counts.refused.set(code, (this.counts.refused.get(code) ?? 0) + 1);
      return undefined;
    }
  }

  /** Each (tag, seq) counts once; breaks in the chain are counted, and the records stand. */
  #isNew({ tag, plaintext }: OpenedReport, payload: Uint8Array): boolean {
    const chain: TagChain = this.#chains.get(tag) ?? {
      seen: new Map(),
      lastHashes: [NO_PREVIOUS],
      lastSeq: -1,
    };
    this.#chains.set(tag, chain);
    const content = contentOf(plaintext);
    const known = chain.seen.get(plaintext.seq);
    const hash = toHex(reportHash(payload));
    if (known !== undefined) {
      if (known === content) this.counts.repeated += 1;
      else this.counts.clones += 1;
      if (plaintext.seq === chain.lastSeq) chain.lastHashes = [...chain.lastHashes, hash];
      return false;
    }
    if (!chain.lastHashes.includes(toHex(plaintext.prev))) this.counts.gaps += 1;
    chain.seen.set(plaintext.seq, content);
    chain.lastSeq = plaintext.seq;
    chain.lastHashes = [hash];
    return true;
  }

  #judge(reporter: TagNumber, record: EncounterRecord, ledgerIndex: number): Testimony[] {
    this.counts.records += 1;
    const peer = resolvePeer(record.peerEphId, record.start, this.#settings.dayKeysOf);
    if (peer === undefined || peer.tag === reporter) {
      this.counts.unresolved += 1;
      return [];
    }
    const verdict = judgeProofs(record, record.peerEphId, peer.keys.macKey, this.#settings.sampleHoldSeconds);
    if (verdict.valid === 0) {
      this.counts.forged += 1;
      return [];
    }
    if (verdict.valid === 1) this.counts.partial += 1;
    return [
      {
        reporter,
        peer: peer.tag,
        epoch: peer.epoch,
        start: record.start,
        end: record.start + record.durationSeconds,
        bucketSeconds: capBuckets(record.bucketSeconds, verdict.capSeconds),
        medianAttenuationDb: record.medianAttenuationDb,
        ledgerIndex,
      },
    ];
  }
}

const contentOf = (plaintext: ReportPlaintext): string => toHex(sha256(encodeReportPlaintext(plaintext)));
