/** Meetings within groups that last: households, classes, teams, workplaces, circles of friends. */
import type { Random } from '../../radio/random.js';
import { countOf } from './groups.js';
import type { Groups } from './groups.js';
import type { DaySheet } from './day-sheet.js';

/** How the groups of one kind spend a day. */
export interface Habit {
  readonly kind: number;
  readonly groups: Groups;
  /** Of the groups that come together at all. */
  readonly share: number;
  /** Epochs of the day, `until` not included, and for how many of them a group is together, from some epoch on. */
  readonly from: number;
  readonly until: number;
  readonly together: number;
  /** Meetings of two that a member takes part in. */
  readonly meetings: number;
  /** A meeting lasts 1 to so many epochs. */
  readonly longest: number;
  /** Of meetings with one of those next to oneself, the others are with anybody of the group. */
  readonly besides: number;
  /** How many on one side count as next. */
  readonly reach: number;
}

/** `rate`: 1 for meetings as the habit has them. */
export function meetInGroups(habit: Habit, rate: number, random: Random, sheet: DaySheet): void {
  const { groups, share, from, until, together } = habit;
  const spare = Math.max(0, until - from - together);
  for (let group = 0; group < countOf(groups); group++) {
    const [first, end] = [groups.rows[group]!, groups.rows[group + 1]!];
    if (end - first < 2 || random.next() >= share) continue;
    const opens = from + random.below(spare + 1);
    const meetings = Math.floor(((end - first) * habit.meetings * rate) / 2 + random.next());
    for (let meeting = 0; meeting < meetings; meeting++)
      meet(habit, first, end - first, opens, random, sheet);
  }
}

function meet(
  habit: Habit,
  first: number,
  size: number,
  opens: number,
  random: Random,
  sheet: DaySheet,
): void {
  const { kind, groups, together, longest, besides, reach } = habit;
  const one = random.below(size);
  const away =
    random.next() < besides ? 1 + random.below(Math.min(reach, size - 1)) : 1 + random.below(size - 1);
  const another = (one + away) % size;
  const epochs = Math.min(together, 1 + random.below(longest));
  const begins = opens + random.below(together - epochs + 1);
  const [a, b] = [groups.members[first + one]!, groups.members[first + another]!];
  for (let epoch = begins; epoch < begins + epochs; epoch++) sheet.add(kind, epoch, a, b);
}
