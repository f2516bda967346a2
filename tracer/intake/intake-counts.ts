/** What an intake counts, so that a person can see whether all is well. */
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';

export interface IntakeCounts {
  /** Reports that passed every check and opened, repeats included. */
  readonly opened: number;
  /** A retry, or the same report again: same tag, same seq, same content. */
  readonly repeated: number;
  /** Same tag and seq with another plaintext: somebody copied a tag. */
  readonly clones: number;
  readonly records: number;
  /** Records proven by one beacon only. */
  readonly partial: number;
  /** Records whose beacon MACs are nobody's: replayed or forged. */
  readonly forged: number;
  /** Records of an ID that is not ours, of another epoch, or of the reporter itself; and those that wait for keys to name it with. */
  readonly unresolved: number;
  /** Reports that failed a check, by its reason. */
  readonly refused: ReadonlyMap<ErrorCode, number>;
}

export type Tally = { -readonly [Name in Exclude<keyof IntakeCounts, 'refused'>]: number } & {
  readonly refused: Map<ErrorCode, number>;
};

/** What is counted of records alone. */
export type RecordTally = Pick<Tally, 'records' | 'partial' | 'forged' | 'unresolved'>;

export const newRecordTally = (): RecordTally => ({ records: 0, partial: 0, forged: 0, unresolved: 0 });

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

/** Of a check that failed. Whatever else a crafted report sets off is a format that does not fit, and stops nothing. */
export const refusalCode = (error: unknown): ErrorCode =>
  error instanceof FirebreakError ? error.code : 'format';
