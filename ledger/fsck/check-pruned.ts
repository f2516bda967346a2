/**
 * Which days the log says were pruned: their payloads may be gone. Without such an entry, a payload that is
 * gone was lost.
 */
import type { UnixMs } from '../../protocol/brands.js';
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { decodeDayRow, type DayRecord } from '../store/day-record.js';
import { dayOfPayloadFile, PAYLOAD_FOLDER } from '../store/folder.js';
import { dayOfKey, KEPT_DAY } from '../store/store-keys.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';
import type { LiveRow } from './leveldb-rows.js';

/** An entry of type 10. */
export interface PruningEntry {
  readonly index: number;
  readonly appendedAtMs: UnixMs;
  /** `undefined` where it is damaged or gone. */
  readonly payload: Uint8Array | undefined;
}

/** The entry that pruned a day, and when it was appended. */
export interface PrunedBy {
  readonly by: number;
  readonly atMs: UnixMs;
}

export interface PruneCheckInput {
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** In order. */
  readonly entries: readonly PruningEntry[];
  /** All rows of days: what they say of an entry whose payload cannot be read is believed. */
  readonly dayRows: readonly LiveRow[];
  /** Only the issuer prunes; `undefined`: not checked. */
  readonly issuerPublicKey: Uint8Array | undefined;
}

/** The first entry that prunes each day. */
export function prunedDays(input: PruneCheckInput): ReadonlyMap<number, PrunedBy> {
  const { entries, findings, columns, issuerPublicKey } = input;
  const days = new Map<number, PrunedBy>();
  const issuerId = issuerPublicKey && partyIdOf(issuerPublicKey);
  for (const entry of entries) {
    const { index, payload } = entry;
    const isIssuers = issuerId === undefined || equalBytes(columns.sourceOf(index), issuerId);
    if (!isIssuers && payload !== undefined)
      findings.damage('payloads', 'prunes a day, and is not the issuer’s', { index });
    if (!isIssuers) continue;
    const day = payload === undefined ? dayByRows(entry, input) : dayIn(payload, index, findings);
    if (day !== undefined && !days.has(day)) days.set(day, { by: index, atMs: entry.appendedAtMs });
  }
  return days;
}

function dayIn(payload: Uint8Array, index: number, findings: Findings): number | undefined {
  try {
    return decodePruningPayload(payload).day;
  } catch (error) {
    if (!(error instanceof FirebreakError)) throw error;
    findings.damage('payloads', `prunes a day, and does not say which: ${error.message}`, { index });
    return undefined;
  }
}

/** The day whose row names this entry, with its time, as the one that pruned it. */
function dayByRows(
  { index, appendedAtMs }: PruningEntry,
  { dayRows, findings }: PruneCheckInput,
): number | undefined {
  const pruned = dayRows.flatMap((row) => recordIn(row) ?? []);
  const day = pruned.find(({ pruned: by }) => by?.by === index && by.atMs === appendedAtMs)?.day;
  if (day !== undefined)
    findings.note(
      'unchecked',
      `prunes a day, and its payload cannot be read: that it is day ${day}, only the row of that day says`,
      { index },
    );
  return day;
}

function recordIn({ key, value }: LiveRow): DayRecord | undefined {
  try {
    return decodeDayRow(value, dayOfKey(key));
  } catch (error) {
    if (error instanceof FirebreakError) return undefined; // found where the rows are compared
    throw error;
  }
}

/**
 * Finds the payloads that were lost, and those that are still there or there again; gives how many were
 * pruned. `days`: the entry that pruned each day. `files`: names of those that hold payloads.
 */
export function checkGonePayloads(
  { columns, findings }: Pick<PruneCheckInput, 'columns' | 'findings'>,
  days: ReadonlyMap<number, PrunedBy>,
  files: readonly string[],
): number {
  const stillThere = new Map<number, number>();
  let pruned = 0;
  for (let index = 0; index < columns.size; index++) {
    if (!columns.has(index, MARK.known | MARK.first)) continue;
    const day = columns.retentionDays[index] ?? KEPT_DAY;
    const by = days.get(day)?.by;
    const isPruned = by !== undefined && by > index;
    if (columns.has(index, MARK.stored)) {
      if (isPruned && !stillThere.has(day)) stillThere.set(day, by);
    } else if (isPruned) pruned += 1;
    else findings.damage('payloads', 'has lost its payload: no pruning of its day is recorded', { index });
  }
  for (const [day, index] of stillThere)
    findings.note(
      'leftover',
      `pruned day ${day}, and payloads of it are still stored; the ledger removes them when it starts`,
      {
        index,
      },
    );
  for (const name of files) {
    const day = dayOfPayloadFile(name);
    if (day !== undefined && days.has(day) && !stillThere.has(day))
      findings.note('leftover', 'is of a pruned day; the ledger removes it when it starts', {
        file: `${PAYLOAD_FOLDER}/${name}`,
      });
  }
  return pruned;
}
