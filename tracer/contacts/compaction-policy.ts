/**
 * Which segments to merge, and when. Days are sealed one by one; three in a row become one, and seven. So a
 * window of three weeks lies in six segments at most, give or take a small one: three weeks of which the oldest
 * is cut, and of the week that is under way two runs of three days at most, and a day. Each contact is written
 * anew twice.
 */
import type { SegmentInfo } from './manifest.js';

const RUN_DAYS = 3;
const WEEK_DAYS = 7;
/** Segments of one day that wait for each other. */
const MAX_OF_A_DAY = 4;
/** A large segment is not written again for less than one part in this many. */
const WORTH = 8;
/** Some 1.5 GB of segment, and twice that while it is made. */
const MAX_CONTACTS = 2 ** 26;

export interface CompactionLimits {
  /** Days (UTC) before this one get no more than a late word now and then. */
  readonly today: number;
  /** Unix seconds: what ends before is past retention. */
  readonly keepFrom: number;
  /** Of one compaction; a larger group stays in pieces. */
  readonly maxContacts?: number;
  /** Contacts of a segment that were replaced. */
  readonly replacedIn?: (id: number) => number;
}

const weekOf = (day: number): number => Math.floor(day / WEEK_DAYS);
const runOf = (day: number): number => WEEK_DAYS * weekOf(day) + Math.floor((day % WEEK_DAYS) / RUN_DAYS);

/** Segments of which every contact is past retention: they can be dropped as they are. */
export const expiredSegments = (segments: readonly SegmentInfo[], keepFrom: number): readonly number[] =>
  segments.filter(({ lastSeconds }) => lastSeconds < keepFrom).map(({ id }) => id);

/**
 * Ids of the segments to compact next, oldest first; `undefined` when all is well as it is. One alone is to be rid of
 * what was replaced; what is past retention in it is no matter of worth (wanted-compaction.ts).
 */
export function nextCompaction(
  segments: readonly SegmentInfo[],
  { today, keepFrom, maxContacts = MAX_CONTACTS, replacedIn = () => 0 }: CompactionLimits,
): readonly number[] | undefined {
  const live = segments.filter(({ lastSeconds }) => lastSeconds >= keepFrom);
  const groups = [
    ...groupsBy(live, weekOf, (week) => (week + 1) * WEEK_DAYS <= today),
    ...groupsBy(live, runOf, (run) => endOfRun(run) <= today),
    ...groupsBy(
      live,
      (day) => day,
      () => true,
    ).filter((group) => group.length > MAX_OF_A_DAY),
  ];
  for (const group of groups) {
    const worthy = worthMerging(group, maxContacts);
    if (worthy.length > 1) return worthy.map(({ id }) => id);
  }
  const stale = live.find(({ id, contacts }) => 2 * replacedIn(id) > contacts);
  return stale && [stale.id];
}

function endOfRun(run: number): number {
  const week = Math.floor(run / WEEK_DAYS);
  return Math.min(WEEK_DAYS * week + RUN_DAYS * ((run % WEEK_DAYS) + 1), WEEK_DAYS * (week + 1));
}

/** Those that lie in one stretch of days whole, by stretch, for stretches that are over. */
function groupsBy(
  segments: readonly SegmentInfo[],
  stretchOf: (day: number) => number,
  isOver: (stretch: number) => boolean,
): readonly (readonly SegmentInfo[])[] {
  const groups = new Map<number, SegmentInfo[]>();
  for (const segment of segments) {
    const stretch = stretchOf(segment.firstDay);
    if (stretch !== stretchOf(segment.lastDay) || !isOver(stretch)) continue;
    const group = groups.get(stretch) ?? [];
    groups.set(stretch, group);
    group.push(segment);
  }
  return [...groups.entries()].sort(([p], [q]) => p - q).map(([, group]) => group.sort(byDay));
}

const byDay = (x: SegmentInfo, y: SegmentInfo): number => x.firstDay - y.firstDay || x.id - y.id;

/**
 * As many of the smallest as fit; the largest of a group only with enough beside it. So at most two of it are
 * left, if all fit.
 */
function worthMerging(group: readonly SegmentInfo[], maxContacts: number): readonly SegmentInfo[] {
  const taken: SegmentInfo[] = [];
  let sum = 0;
  for (const segment of [...group].sort((x, y) => x.contacts - y.contacts)) {
    const isLargest = taken.length === group.length - 1;
    if (sum + segment.contacts > maxContacts || (isLargest && sum * WORTH < segment.contacts)) break;
    taken.push(segment);
    sum += segment.contacts;
  }
  return taken.sort(byDay);
}

/** Days that an import puts into one segment: those of a week, or of a run where a week is too much, or each alone. */
export function stretchesOf(
  days: readonly { readonly day: number; readonly contacts: number }[],
  maxContacts = MAX_CONTACTS,
): readonly (readonly number[])[] {
  const size = (some: typeof days): number => some.reduce((sum, { contacts }) => sum + contacts, 0);
  return stretched(days, weekOf)
    .flatMap((week) => (size(week) <= maxContacts ? [week] : stretched(week, runOf)))
    .flatMap((run) => (size(run) <= maxContacts ? [run] : stretched(run, (day) => day)))
    .map((some) => some.map(({ day }) => day));
}

function stretched<T extends { readonly day: number }>(
  days: readonly T[],
  stretchOf: (day: number) => number,
): readonly (readonly T[])[] {
  const byStretch = new Map<number, T[]>();
  for (const one of days) {
    const stretch = stretchOf(one.day);
    byStretch.set(stretch, [...(byStretch.get(stretch) ?? []), one]);
  }
  return [...byStretch.values()];
}
