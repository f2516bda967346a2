/**
 * Which days the log says were pruned: their payloads may be gone. Without such an entry, a payload that is
 * gone was lost.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { decodePruningPayload } from '../../protocol/payload/pruning.js';
import { dayOfPayloadFile, PAYLOAD_FOLDER } from '../store/folder.js';
import { KEPT_DAY } from '../store/store-keys.js';
import { MARK, type EntryColumns } from './entry-columns.js';
import type { Findings } from './findings.js';

export interface PruneCheckInput {
  readonly findings: Findings;
  readonly columns: EntryColumns;
  /** Entries of type 10, in order, each with its payload; `undefined` where that is damaged or gone. */
  readonly entries: readonly { readonly index: number; readonly payload: Uint8Array | undefined }[];
  /** Only the issuer prunes; `undefined`: not checked. */
  readonly issuerPublicKey: Uint8Array | undefined;
}

/** The first entry that prunes each day. */
export function prunedDays({
  entries,
  findings,
  columns,
  issuerPublicKey,
}: PruneCheckInput): ReadonlyMap<number, number> {
  const days = new Map<number, number>();
  const issuerId = issuerPublicKey && partyIdOf(issuerPublicKey);
  for (const { index, payload } of entries) {
    if (payload === undefined) continue;
    if (issuerId && !equalBytes(columns.sourceOf(index), issuerId)) {
      findings.damage('payloads', 'prunes a day, and is not the issuer’s', { index });
      continue;
    }
    try {
      const { day } = decodePruningPayload(payload);
      if (!days.has(day)) days.set(day, index);
    } catch (error) {
      if (!(error instanceof FirebreakError)) throw error;
      findings.damage('payloads', `prunes a day, and does not say which: ${error.message}`, { index });
    }
  }
  return days;
}

/**
 * Finds the payloads that were lost, and those that are still there or there again; gives how many were
 * pruned. `days`: the entry that pruned each day. `files`: names of those that hold payloads.
 */
export function checkGonePayloads(
  { columns, findings }: Pick<PruneCheckInput, 'columns' | 'findings'>,
  days: ReadonlyMap<number, number>,
  files: readonly string[],
): number {
  const stillThere = new Map<number, number>();
  let pruned = 0;
  for (let index = 0; index < columns.size; index++) {
    if (!columns.has(index, MARK.known | MARK.first)) continue;
    const day = columns.retentionDays[index] ?? KEPT_DAY;
    const by = days.get(day);
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
