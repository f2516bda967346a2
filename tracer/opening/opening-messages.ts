/**
 * What goes between the tracer and the threads that open its reports: sealed reports and the keys of their days
 * one way, what was found in them the other, as columns: objects would take longer to send than most reports to
 * take.
 *
 * Keys come with each request and are wiped when it is done, and the copy that was posted as soon as it is: a
 * thread never has keys that its owner has not.
 */
import { asEpoch, asTagNumber, asUnixMs } from '../../protocol/brands.js';
import { ByteWriter, concat } from '../../protocol/bytes.js';
import {
  decodeEncounterRecord,
  encodeEncounterRecord,
  RECORD_BYTES,
} from '../../protocol/tag/encounter-record.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { reportDays } from '../../protocol/tag/report.js';
import type { Testimony } from '../records/testimony.js';
import type { LoggedReport, OpenedLogged, Opening } from './open-report.js';

export interface OpenRequest {
  /** The source, 16 bytes, and the payload of each report. */
  readonly bytes: Uint8Array;
  /** index, source's time in unix ms, payload's length of each report. */
  readonly rows: Float64Array;
  /** All there are of the days that opening these reports can ask for. */
  readonly keys: readonly DayKeys[];
}

/** By report, in the order of the request. */
export interface OpenAnswer {
  /** {@link ROW} numbers for each report. */
  readonly rows: Float64Array;
  /** prev and plaintext hash of each that opened, 32 bytes each. */
  readonly hashes: Uint8Array;
  /** {@link TOLD} numbers for each testimony. */
  readonly told: Float64Array;
  /** Places of forged records. */
  readonly forged: Uint16Array;
  /** Place, and the day that is waited for, of each record that waits; and the records, {@link RECORD_BYTES} each. */
  readonly waits: Float64Array;
  readonly records: Uint8Array;
  /** By place in the request: why a report was refused, or what judging its records stopped at. */
  readonly codes: ReadonlyMap<number, ErrorCode>;
}

const KINDS = ['refused', 'other', 'waits', 'opened'] as const;
const SOURCE_BYTES = 16;
const HASH_BYTES = 32;
/** kind, day, tag, seq, records, partial, forged, unresolved, testimonies, records that wait. */
const ROW = 10;
const WAIT = 2;
/** peer, epoch, start, end, seconds in four buckets, median attenuation, whether partial. */
const TOLD = 10;

/** What is posted is a copy: the reports stay here. */
export function requestOf(reports: readonly LoggedReport[], dayKeysOf: DayKeysOf): OpenRequest {
  const size = reports.reduce((sum, { payload }) => sum + SOURCE_BYTES + payload.length, 0);
  const writer = new ByteWriter(size);
  const rows = new Float64Array(reports.length * 3);
  const days = new Set<number>();
  reports.forEach(({ entry, payload }, k) => {
    writer.bytes(entry.source).bytes(payload);
    rows.set([entry.index, entry.sourceTimeMs, payload.length], 3 * k);
    for (const day of reportDays(payload)) days.add(day);
  });
  const keys = [...days].map(dayKeysOf).filter((found) => found !== undefined);
  return { bytes: writer.finish(), rows, keys: keys.map(copyOf) };
}

/** The reports of a request; payloads are views of its bytes. */
export function reportsOf({ bytes, rows }: OpenRequest): LoggedReport[] {
  const reports: LoggedReport[] = [];
  let at = 0;
  for (let k = 0; k < rows.length; k += 3) {
    const [index, sourceTimeMs, length] = [rows[k]!, rows[k + 1]!, rows[k + 2]!];
    const source = bytes.subarray(at, at + SOURCE_BYTES);
    const payload = bytes.subarray(at + SOURCE_BYTES, at + SOURCE_BYTES + length);
    reports.push({ entry: { index, source, sourceTimeMs: asUnixMs(sourceTimeMs) }, payload });
    at += SOURCE_BYTES + length;
  }
  return reports;
}

/** Of its own memory: of a view, all that it is a view of would be posted. */
const copyOf = ({ day, idKey, macKey, sealingSecretKey, sealingPublicKey }: DayKeys): DayKeys => ({
  day,
  idKey: new Uint8Array(idKey),
  macKey: new Uint8Array(macKey),
  sealingSecretKey: new Uint8Array(sealingSecretKey),
  sealingPublicKey: new Uint8Array(sealingPublicKey),
});

export function answerOf(openings: readonly Opening[]): OpenAnswer {
  const opened = openings.filter((opening) => opening.kind === 'opened');
  const waiting = opened.flatMap(({ told }) => told.waiting);
  const answer = {
    rows: new Float64Array(openings.length * ROW),
    hashes: new Uint8Array(opened.length * 2 * HASH_BYTES),
    told: new Float64Array(opened.reduce((sum, { told }) => sum + told.testimonies.length, 0) * TOLD),
    forged: Uint16Array.from(opened.flatMap(({ told }) => told.forged)),
    waits: Float64Array.from(waiting.flatMap(({ place, waitsForDay }) => [place, waitsForDay])),
    records: concat(...waiting.map(({ record }) => encodeEncounterRecord(record))),
    codes: new Map<number, ErrorCode>(),
  };
  openings.forEach((opening, place) => {
    answer.rows.set(rowOf(opening), place * ROW);
    const code = opening.kind === 'refused' ? opening.code : stopOf(opening);
    if (code !== undefined) answer.codes.set(place, code);
  });
  opened.forEach(({ prev, plaintextHash }, k) => {
    answer.hashes.set(prev, k * 2 * HASH_BYTES);
    answer.hashes.set(plaintextHash, (k * 2 + 1) * HASH_BYTES);
  });
  let at = 0;
  for (const { told } of opened)
    for (const testimony of told.testimonies) at = writeTestimony(answer.told, at, testimony);
  return answer;
}

const stopOf = (opening: Opening): ErrorCode | undefined =>
  opening.kind === 'opened' ? opening.told.stoppedBy : undefined;

function rowOf(opening: Opening): number[] {
  const kind = KINDS.indexOf(opening.kind);
  if (opening.kind === 'waits') return [kind, opening.day];
  if (opening.kind !== 'opened') return [kind];
  const { tag, day, seq, told } = opening;
  const { records, partial, forged, unresolved } = told.tally;
  const counts = [records, partial, forged, unresolved, told.testimonies.length, told.waiting.length];
  return [kind, day, tag, seq, ...counts];
}

function writeTestimony(words: Float64Array, from: number, testimony: Testimony): number {
  const { peer, epoch, start, end, bucketSeconds, medianAttenuationDb, partial } = testimony;
  const [immediate, near, medium, other] = bucketSeconds;
  let at = from;
  words[at++] = peer;
  words[at++] = epoch;
  words[at++] = start;
  words[at++] = end;
  words[at++] = immediate;
  words[at++] = near;
  words[at++] = medium;
  words[at++] = other;
  words[at++] = medianAttenuationDb;
  words[at++] = partial ? 1 : 0;
  return at;
}

/** What {@link answerOf} was given. `reports` are those of the request. */
export function openingsOf(answer: OpenAnswer, reports: readonly LoggedReport[]): Opening[] {
  const next = { opened: 0, told: 0, forged: 0, waits: 0 };
  return reports.map((report, place) => openingAt(answer, place, report.entry.index, next));
}

/** How far the columns of opened reports were read. */
interface ReadUpTo {
  opened: number;
  told: number;
  forged: number;
  waits: number;
}

function openingAt(answer: OpenAnswer, place: number, ledgerIndex: number, next: ReadUpTo): Opening {
  const row = answer.rows.subarray(place * ROW, (place + 1) * ROW);
  const kind = KINDS[row[0]!];
  const code = answer.codes.get(place);
  if (kind === 'opened') return openedAt(answer, row, { ledgerIndex, stoppedBy: code }, next);
  if (kind === 'waits') return { kind, day: row[1]! };
  return kind === 'refused' ? { kind, code: code ?? 'format' } : { kind: 'other' };
}

function openedAt(
  answer: OpenAnswer,
  row: Float64Array,
  { ledgerIndex, stoppedBy }: { readonly ledgerIndex: number; readonly stoppedBy: ErrorCode | undefined },
  next: ReadUpTo,
): OpenedLogged {
  const [day, seq, count, waits] = [row[1]!, row[3]!, row[8]!, row[9]!];
  const tag = asTagNumber(row[2]!);
  const tally = { records: row[4]!, partial: row[5]!, forged: row[6]!, unresolved: row[7]! };
  const forged = [...answer.forged.subarray(next.forged, (next.forged += tally.forged))];
  const testimonies = Array.from({ length: count }, () =>
    readTestimony(answer.told, next.told++ * TOLD, tag, ledgerIndex),
  );
  const waiting = Array.from({ length: waits }, () => ({
    ...{ hearer: { kind: 'tag', tag } as const, ledgerIndex },
    ...readWaiting(answer, next.waits++),
  }));
  const at = next.opened++ * 2 * HASH_BYTES;
  const prev = answer.hashes.subarray(at, at + HASH_BYTES);
  const plaintextHash = answer.hashes.subarray(at + HASH_BYTES, at + 2 * HASH_BYTES);
  const told = { tally, forged, testimonies, waiting, stoppedBy };
  return { kind: 'opened', tag, day, seq, prev, plaintextHash, told };
}

function readWaiting({ waits, records }: OpenAnswer, which: number) {
  const [place = 0, waitsForDay = 0] = waits.subarray(which * WAIT, (which + 1) * WAIT);
  const record = decodeEncounterRecord(records.subarray(which * RECORD_BYTES, (which + 1) * RECORD_BYTES));
  return { place, waitsForDay, record };
}

const readTestimony = (
  words: Float64Array,
  at: number,
  reporter: Testimony['reporter'],
  ledgerIndex: number,
): Testimony => ({
  reporter,
  peer: asTagNumber(words[at]!),
  epoch: asEpoch(words[at + 1]!),
  start: words[at + 2]!,
  end: words[at + 3]!,
  bucketSeconds: [words[at + 4]!, words[at + 5]!, words[at + 6]!, words[at + 7]!],
  medianAttenuationDb: words[at + 8]!,
  partial: words[at + 9] === 1,
  ledgerIndex,
});
