/**
 * What can be said of a logged report by itself, whatever was logged before it (protocol.md §6, §8): checked
 * again, opened, its sender and peers resolved, its beacon MACs judged. Pure, so that it can be done on any
 * thread and in any order.
 */
import type { TagNumber } from '../../protocol/brands.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import { sha256 } from '../../protocol/crypto/hash.js';
import { checkReport } from '../../protocol/tag/report-check.js';
import { openReport } from '../../protocol/tag/report-open.js';
import type { DayKeysOf, OpenedReport } from '../../protocol/tag/report-open.js';
import { REPORT_KINDS } from '../../protocol/tag/report.js';
import type { ReportEnvelope } from '../../protocol/tag/report.js';
import { dayOfEpoch } from '../../protocol/time.js';
import type { WaitingRecord } from '../waiting/midnight-record.js';
import type { LoggedEntry } from '../follow/payloads.js';
import { judgeRecord, newRecordTally } from '../records/record-judge.js';
import type { RecordTally } from '../records/record-judge.js';
import { testimonyOf } from '../records/testimony.js';
import type { Testimony } from '../records/testimony.js';

export interface OpeningSettings {
  readonly issuerPublicKey: Uint8Array;
  readonly retentionDays: number;
  readonly sampleHoldSeconds: number;
}

/** Where a report stands in the log, and who handed it in when. */
export type ReportEntry = Pick<LoggedEntry, 'index' | 'source' | 'sourceTimeMs'>;

export interface LoggedReport {
  readonly entry: ReportEntry;
  readonly payload: Uint8Array;
}

export type Opening =
  | { readonly kind: 'refused'; readonly code: ErrorCode }
  /** A report that carries no encounters. */
  | { readonly kind: 'other' }
  /** The keys of this day are not there, and the report has not been looked into. */
  | { readonly kind: 'waits'; readonly day: number }
  | OpenedLogged;

/** A report that opened. What its records say counts only when it is the first of its tag and seq. */
export interface OpenedLogged {
  readonly kind: 'opened';
  readonly tag: TagNumber;
  readonly day: number;
  readonly seq: number;
  readonly prev: Uint8Array;
  readonly plaintextHash: Uint8Array;
  readonly told: JudgedRecords;
}

export interface JudgedRecords {
  readonly tally: RecordTally;
  /** Places of the records whose beacon MACs are nobody's. */
  readonly forged: readonly number[];
  readonly testimonies: readonly Testimony[];
  /** Those from near midnight that the keys of the neighbouring day may name. */
  readonly waiting: readonly WaitingRecord[];
  /** What judging stopped at: then there are no testimonies and none that wait, and the rest is as far as it came. */
  readonly stoppedBy: ErrorCode | undefined;
}

/** Never throws: whatever is wrong with a report is an opening too. */
export function openLogged(
  { entry, payload }: LoggedReport,
  settings: OpeningSettings,
  dayKeysOf: DayKeysOf,
): Opening {
  try {
    const report = checkLogged(entry, payload, settings);
    if (report.kind !== REPORT_KINDS.encounters) return { kind: 'other' };
    const day = dayWithoutKeys(report, dayKeysOf);
    if (day !== undefined) return { kind: 'waits', day };
    return judged(openReport(report, dayKeysOf), report.day, entry.index, { ...settings, dayKeysOf });
  } catch (error) {
    return { kind: 'refused', code: refusalCode(error) };
  }
}

/** Of a check that failed. Whatever else a crafted report sets off counts as `format`, and stops nothing. */
export const refusalCode = (error: unknown): ErrorCode =>
  error instanceof FirebreakError ? error.code : 'format';

function checkLogged(
  { source, sourceTimeMs }: ReportEntry,
  payload: Uint8Array,
  { issuerPublicKey, retentionDays }: OpeningSettings,
): ReportEnvelope {
  return checkReport(payload, {
    issuerPublicKey,
    retentionDays,
    receivedAtMs: sourceTimeMs,
    gatewayId: source,
  });
}

/** Opening takes the keys of the report's day, naming its sender those of the credential's. */
function dayWithoutKeys({ day, credential }: ReportEnvelope, dayKeysOf: DayKeysOf): number | undefined {
  return [day, dayOfEpoch(credential.epoch)].find((needed) => dayKeysOf(needed) === undefined);
}

type JudgeSettings = Pick<OpeningSettings, 'sampleHoldSeconds'> & { readonly dayKeysOf: DayKeysOf };

function judged(
  { tag, plaintext, plaintextBytes }: OpenedReport,
  day: number,
  ledgerIndex: number,
  settings: JudgeSettings,
): OpenedLogged {
  const { seq, prev, records } = plaintext;
  const told = judgeRecords(records, tag, ledgerIndex, settings);
  return { kind: 'opened', tag, day, seq, prev, plaintextHash: sha256(plaintextBytes), told };
}

function judgeRecords(
  records: readonly EncounterRecord[],
  reporter: TagNumber,
  ledgerIndex: number,
  { dayKeysOf, sampleHoldSeconds }: JudgeSettings,
): JudgedRecords {
  const tally = newRecordTally();
  const forged: number[] = [];
  const testimonies: Testimony[] = [];
  const waiting: WaitingRecord[] = [];
  const context = { dayKeysOf, sampleHoldSeconds, tally, reporter };
  const told = { hearer: { kind: 'tag', tag: reporter }, ledgerIndex } as const;
  try {
    for (const [place, record] of records.entries()) {
      const verdict = judgeRecord(record, record.peerEphId, context);
      if (verdict.kind === 'forged') forged.push(place);
      if (verdict.kind === 'waits') waiting.push({ ...told, place, record, waitsForDay: verdict.day });
      if (verdict.kind !== 'proven') continue;
      const { peer, beacons } = verdict;
      testimonies.push(testimonyOf(record, { peer, beacons, reporter, sampleHoldSeconds, ledgerIndex }));
    }
    return { tally, forged, testimonies, waiting, stoppedBy: undefined };
  } catch (error) {
    return { tally, forged, testimonies: [], waiting: [], stoppedBy: refusalCode(error) };
  }
}
