/** What an intake counts, so that a person can see whether all is well. */
import type { ErrorCode } from '../../protocol/errors.js';
import { newRecordTally } from '../records/record-judge.js';
import type { RecordTally } from '../records/record-judge.js';

export interface IntakeCounts extends Readonly<RecordTally> {
  /** Reports that passed every check and opened, repeats included. */
  readonly opened: number;
  /** A retry, or the same report again: same tag, same seq, same content. */
  readonly repeated: number;
  /** Same tag and seq with another plaintext: somebody copied a tag. */
  readonly clones: number;
  /** Reports that failed a check, by its reason. */
  readonly refused: ReadonlyMap<ErrorCode, number>;
}

export type Tally = { -readonly [Name in Exclude<keyof IntakeCounts, 'refused'>]: number } & {
  readonly refused: Map<ErrorCode, number>;
};

export function newTally(): Tally {
  return { opened: 0, repeated: 0, clones: 0, ...newRecordTally(), refused: new Map() };
}

export function countRecords(tally: Tally, { records, partial, forged, unresolved }: RecordTally): void {
  tally.records += records;
  tally.partial += partial;
  tally.forged += forged;
  tally.unresolved += unresolved;
}

/** Takes over what another life counted. */
export function restoreTally(tally: Tally, { refused, ...counts }: Tally): void {
  Object.assign(tally, counts);
  tally.refused.clear();
  for (const [code, count] of refused) tally.refused.set(code, count);
}

export function countRefusal({ refused }: Tally, code: ErrorCode, count = 1): void {
  refused.set(code, (refused.get(code) ?? 0) + count);
}
