/**
 * Co-presence as a walk sees it (tracing.md, "Presence"): two stays of different people at one gateway that overlap. It
 * begins with the later of the two starts, ends with the earlier of the two ends, and counts as one-sided contact in the
 * bucket of weight 0.3, at 127 dB and with no second near.
 */

import type { PresenceView } from '../presence/presence-view.js';

export const PRESENCE_SIGNAL = 127;

/** W in twentieths of a second: 0.3 of its seconds, halved. */
export const presenceWeight = (seconds: number): number => 3 * seconds;

/** Co-presences of a person that last `minSeconds` at least. `step` is called for each stay that is looked at, and on a long way to the next: at a station most are too short. */
export function forEachCopresence(
  view: PresenceView,
  person: number,
  minSeconds: number,
  step: () => void,
  visit: (other: number, start: number, end: number, gateway: number) => void,
): void {
  for (const mine of view.staysOf(person)) {
    if (mine.end - mine.start < minSeconds) continue;
    for (const theirs of view.overlapping(mine.gateway, mine.start, mine.end)) {
      step();
      if (theirs === undefined || theirs.person === person) continue;
      const start = Math.max(mine.start, theirs.start);
      const end = Math.min(mine.end, theirs.end);
      if (end >= start && end - start >= minSeconds) visit(theirs.person, start, end, mine.gateway);
    }
  }
}
