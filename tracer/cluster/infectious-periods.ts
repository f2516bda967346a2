/**
 * When a source can have been infectious. One period need not cover all whom it may have infected: each it may have had is a
 * hypothesis of its own (clusters.md, "What is walked").
 */
import type { ReachedPerson } from '../looks/trace-result.js';

/** Unix seconds, both inclusive. */
export interface Period {
  readonly from: number;
  /** Infinity without an infectious period. */
  readonly until: number;
}

/** So many are tried of one source. */
const MAX_PERIODS = 4;

/**
 * Of a source that can have infected others at these times. Each period begins with one of them, and no later one covers as much:
 * those that cover the most of them first, then the earlier; {@link MAX_PERIODS} at most, and none with fewer than `least` times in
 * it and after it.
 */
export function periodsOver(
  times: readonly number[],
  infectiousSeconds: number,
  least: number,
): readonly Period[] {
  const sorted = [...times].sort((x, y) => x - y);
  const found: (Period & { readonly covers: number })[] = [];
  let covered = 0;
  sorted.forEach((from, place) => {
    const until = from + infectiousSeconds;
    const end = sorted.filter((time) => time <= until).length;
    if (end > covered && sorted.length - place >= least) found.push({ from, until, covers: end - place });
    covered = end;
  });
  found.sort((x, y) => y.covers - x.covers || x.from - y.from);
  return found.slice(0, MAX_PERIODS).map(({ from, until }) => ({ from, until }));
}

/**
 * How the source may have infected a case in this period: the row of the case's own trace, or where that begins outside of it, the
 * row of a walk from the source. `undefined` when it cannot have.
 */
export function rowWithin(
  { from, until }: Period,
  back: ReachedPerson | undefined,
  ahead: ReachedPerson | undefined,
  due: number,
): ReachedPerson | undefined {
  if (back === undefined || until === Infinity) return back;
  if (back.exposedAt >= from && back.exposedAt <= until) return back;
  if (ahead !== undefined && ahead.exposedAt <= due) return ahead;
  return back.earliestAt >= from && back.earliestAt <= until ? back : undefined;
}
