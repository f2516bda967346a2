/**
 * What a change of some contacts of a pair makes of the others (tracing.md, "Contact"): nearInDay of each that
 * ends within the day after is summed anew.
 */
import { DAY_SECONDS } from '../../protocol/time.js';
import { nearSecondsOfRow } from './live-contact.js';
import type { LiveRow } from './live-row.js';
import type { SealedPlace } from './sealed-contacts.js';
import type { PairSums } from './rows-by-pair.js';
import { endAt, nearSecondsAt, saturated } from './segment.js';

/** A contact of a pair as it stands: a live one by its version, a sealed one by its place. */
export type Known = PairSums &
  (
    | { readonly version: number; readonly place?: undefined }
    | { readonly version?: undefined; readonly place: SealedPlace }
  );

/** What a contact is from now on, and what it was. */
export interface Change {
  readonly row: LiveRow;
  readonly old: Known | undefined;
}

/** What is to be written: a row that was changed, or that is new; or a contact as it is, with another sum. */
type Settled =
  | { readonly row: LiveRow; readonly known: Known | undefined; readonly nearInDay: number }
  | { readonly row: undefined; readonly known: Known; readonly nearInDay: number };

export const endOf = ({ start, duration }: LiveRow): number => start + duration;

/** The first and the last end of what is changed, before and after. */
export function spanOf(changes: readonly Change[]): readonly [first: number, last: number] {
  const ends = changes.flatMap(({ row, old }) => [endOf(row), old?.end ?? endOf(row)]);
  return [Math.min(...ends), Math.max(...ends)];
}

/**
 * What is to be written. `ofPair`: the pair's contacts, as they stand, that end from a day before the
 * {@link spanOf} the changes to a day after it.
 */
export function settled(
  ofPair: readonly Known[],
  changes: readonly Change[],
  [first, last]: ReturnType<typeof spanOf>,
): Settled[] {
  const others = ofPair.filter(
    (known) => !changes.some(({ old }) => old !== undefined && isSame(old, known)),
  );
  const all = [
    ...others.map((known) => ({ end: known.end, near: known.near, known, row: undefined })),
    ...changes.map(({ row, old }) => ({ end: endOf(row), near: nearSecondsOfRow(row), known: old, row })),
  ].sort((x, y) => x.end - y.end);
  const sums = sumsInDay(all);
  return all.flatMap(({ end, known, row }, k): Settled[] => {
    const nearInDay = saturated(sums[k] ?? 0);
    if (row) return [{ row, known, nearInDay }];
    const mayDiffer = end >= first && end < last + DAY_SECONDS;
    return known && mayDiffer && known.nearInDay !== nearInDay ? [{ row: undefined, known, nearInDay }] : [];
  });
}

const isSame = (one: Known, other: Known): boolean =>
  one.version === other.version &&
  one.place?.entry === other.place?.entry &&
  one.place?.sealed === other.place?.sealed;

export function knownAt(place: SealedPlace): Known {
  const { sealed, entry } = place;
  const { segment } = sealed;
  const [end, near] = [endAt(segment, entry), nearSecondsAt(segment, entry)];
  return { place, end, near, nearInDay: segment.nearInDay[entry] ?? 0 };
}

/** A sliding sum over contacts in order of end: those that end together count for each other. */
function sumsInDay(inOrder: readonly { readonly end: number; readonly near: number }[]): number[] {
  let [sum, oldest, newest] = [0, 0, 0];
  const at = (k: number) => inOrder[k] ?? { end: Infinity, near: 0 };
  return inOrder.map(({ end }) => {
    while (at(newest).end <= end) sum += at(newest++).near;
    while (at(oldest).end <= end - DAY_SECONDS) sum -= at(oldest++).near;
    return sum;
  });
}
