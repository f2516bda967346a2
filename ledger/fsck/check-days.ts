/**
 * Day rows: what was stored for each day, and which entries ended it, worked out anew from the entries.
 * Whether the bytes of a pruned day have left the files is the row's own word.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodeDayKeyPayload } from '../../protocol/payload/day-key.js';
import { decodeDayRow, encodeDayRow, newDayRecord, type DayRecord } from '../store/day-record.js';
import { dayOfKey, KEPT_DAY } from '../store/store-keys.js';
import type { PrunedBy, PruningEntry } from './check-pruned.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';

export interface DayCheckInput {
  /** All rows of days. */
  readonly dayRows: readonly LiveRow[];
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Who pruned each day, by {@link pruningEntries}. */
  readonly pruned: ReadonlyMap<number, PrunedBy>;
  readonly pruningEntries: readonly PruningEntry[];
  /** Entries of type 4, in order, each with its payload; `undefined` where that is damaged or gone. */
  readonly dayKeyEntries: readonly { readonly index: number; readonly payload: Uint8Array | undefined }[];
  /** Only the issuer ends days; `undefined`: not checked. */
  readonly issuerPublicKey: Uint8Array | undefined;
  /** Every entry of the log is as it was logged. */
  readonly complete: boolean;
}

type Expected = Map<number, DayRecord>;

function change(days: Expected, day: number, changes: Partial<DayRecord>): void {
  days.set(day, { ...(days.get(day) ?? newDayRecord(day)), ...changes });
}

function addStored(days: Expected, columns: EntryColumns): void {
  for (let index = 0; index < columns.size; index++) {
    const day = columns.retentionDays[index] ?? KEPT_DAY;
    if (day === KEPT_DAY || !columns.has(index, MARK.known | MARK.first)) continue;
    const { payloads, payloadBytes } = days.get(day) ?? newDayRecord(day);
    const bytes = payloadBytes + (columns.lengths[index] ?? 0);
    change(days, day, { payloads: payloads + 1, payloadBytes: bytes });
  }
}

/** The day whose keys an entry says are destroyed. */
function destroyedDay(payload: Uint8Array | undefined): number | undefined {
  try {
    const inside = payload && decodeDayKeyPayload(payload);
    return inside?.kind === 'destroyed' ? inside.day : undefined;
  } catch (error) {
    if (error instanceof FirebreakError) return undefined; // not pruned by such an entry
    throw error;
  }
}

function expectedDays({ columns, pruned, dayKeyEntries, issuerPublicKey }: DayCheckInput): Expected {
  const days: Expected = new Map();
  addStored(days, columns);
  const issuerId = issuerPublicKey && partyIdOf(issuerPublicKey);
  for (const { index, payload } of dayKeyEntries) {
    const day = destroyedDay(payload);
    const isIssuers = issuerId === undefined || equalBytes(columns.sourceOf(index), issuerId);
    if (day === undefined || !isIssuers || days.get(day)?.destroyedBy !== undefined) continue;
    change(days, day, { destroyedBy: index });
  }
  for (const [day, { by, atMs }] of pruned) change(days, day, { pruned: { by, atMs, removed: false } });
  return days;
}

/** Compares all day rows; only whether they can be read while entries, or the payloads that end days, are missing. */
export function checkDays(input: DayCheckInput): void {
  const { dayRows, findings, complete } = input;
  const ending = [...input.dayKeyEntries, ...input.pruningEntries];
  const isComparable = complete && ending.every(({ payload }) => payload !== undefined);
  const expected = isComparable ? expectedDays(input) : new Map<number, DayRecord>();
  for (const { key, value } of dayRows) {
    const day = dayOfKey(key);
    const record = readRow(value, day, findings);
    const wanted = expected.get(day);
    expected.delete(day);
    if (record === undefined || !isComparable) continue;
    if (wanted === undefined) findings.damage('days', `day ${day} has a row, and no entry speaks of it`);
    else if (!equalBytes(encodeDayRow(withRemoved(wanted, record)), value))
      findings.damage('days', `the row of day ${day} is not what the log says of it`);
  }
  for (const day of expected.keys()) findings.damage('days', `the row of day ${day} is missing`);
}

function withRemoved(wanted: DayRecord, { pruned: said }: DayRecord): DayRecord {
  const { pruned } = wanted;
  return pruned ? { ...wanted, pruned: { ...pruned, removed: said?.removed === true } } : wanted;
}

function readRow(value: Uint8Array, day: number, findings: Findings): DayRecord | undefined {
  try {
    return decodeDayRow(value, day);
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('days', `the row of day ${day} cannot be read: ${error.message}`);
    return undefined;
  }
}
