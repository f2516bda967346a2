/** Who was near whom and when, written down in steps of 20 s as wearable sensors record it. */
import type { Random } from '../../radio/random.js';
import type { ContactLine } from '../recorded/contact-lines.js';
import { STEP_SECONDS } from '../recorded/contact-lines.js';

export interface Diary {
  /** i and j were together from `start` (unix s) for `minutes`, facing each other for about `share` of it. */
  meet(i: number, j: number, start: number, minutes: number, share?: number): void;
  /** Everyone in the group with everyone else. */
  gather(group: readonly number[], start: number, minutes: number, share?: number): void;
  lines(): readonly ContactLine[];
}

/** Sensors miss each other now and then, even at one table. */
const USUAL_SHARE = 0.85;

export function newDiary(random: Random): Diary {
  const lines: ContactLine[] = [];

  function meet(i: number, j: number, start: number, minutes: number, share = USUAL_SHARE): void {
    const first = Math.ceil(start / STEP_SECONDS) * STEP_SECONDS;
    const last = start + minutes * 60;
    for (let at = first; at + STEP_SECONDS <= last; at += STEP_SECONDS) {
      if (random.next() < share) lines.push({ t: at + STEP_SECONDS, i: Math.min(i, j), j: Math.max(i, j) });
    }
  }

  return {
    meet,
    gather: (group, start, minutes, share) => {
      group.forEach((i, place) => group.slice(place + 1).forEach((j) => meet(i, j, start, minutes, share)));
    },
    lines: () => lines,
  };
}

/** A copy in random order (Fisher–Yates). */
export function shuffled<T>(items: readonly T[], random: Random): T[] {
  const copy = [...items];
  for (let last = copy.length - 1; last > 0; last -= 1) {
    const other = random.below(last + 1);
    const [x, y] = [copy[last], copy[other]];
    if (x === undefined || y === undefined) continue;
    copy[last] = y;
    copy[other] = x;
  }
  return copy;
}

/** Cut into groups of `size`; the last may be smaller. */
export function groupsOf<T>(items: readonly T[], size: number): T[][] {
  const groups: T[][] = [];
  for (let at = 0; at < items.length; at += size) groups.push(items.slice(at, at + size));
  return groups;
}
