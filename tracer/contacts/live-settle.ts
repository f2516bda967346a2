/**
 * What a change of a contact of a pair makes of the others (tracing.md, "Contact"): nearInDay of each that
 * ends within the day after is summed anew.
 */
import { DAY_SECONDS } from '../../protocol/time.js';
import { nearSecondsOfRow } from './live-contact.js';
import type { LiveRow } from './live-row.js';
import type { LiveRows } from './live-table.js';
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

/** When a contact ends, and the first and the last end of what it is and was: between them others may change with it. */
export interface Ends {
  readonly end: number;
  readonly first: number;
  readonly last: number;
}

export function endsOf({ start, duration }: LiveRow, old: Known | undefined): Ends {
  const end = start + duration;
  if (old === undefined) return { end, first: end, last: end };
  return { end, first: Math.min(end, old.end), last: Math.max(end, old.end) };
}

/**
 * What is to be written. `ofPair`: the pair's contacts, as they stand, that end from a day before the
 * {@link endsOf} the change to a day after it.
 */
export function settled(ofPair: readonly Known[], { row: changed, old }: Change): Settled[] {
  const { end: changedEnd, first, last } = endsOf(changed, old);
  const others = old === undefined ? ofPair : ofPair.filter((known) => !isSame(old, known));
  const all = [
    ...others.map((known) => ({ end: known.end, near: known.near, known, row: undefined })),
    { end: changedEnd, near: nearSecondsOfRow(changed), known: old, row: changed },
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

export const knownIn = ({ table, pairs }: LiveRows, row: number): Known => ({
  version: table.firstVersion + row,
  end: pairs.end(row),
  near: pairs.near(row),
  nearInDay: pairs.nearInDay(row),
});

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
