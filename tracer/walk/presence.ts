/**
 * Co-presence as a walk sees it (tracing.md, "Presence"): two stays of different people at one gateway that overlap. It
 * begins with the later of the two starts, ends with the earlier of the two ends, and counts as one-sided contact in the
 * bucket of weight 0.3, at 127 dB and with no second near.
 */

/** Somebody at a gateway, without a gap of more than 300 s. Unix seconds; person and gateway are dense numbers. */
export interface Stay {
  readonly person: number;
  readonly gateway: number;
  readonly start: number;
  readonly end: number;
}

export interface PresenceView {
  /** By start. */
  staysOf(person: number): readonly Stay[];
  /** Stays at that gateway with start ≤ `end` and end ≥ `start`. */
  overlapping(gateway: number, start: number, end: number): Iterable<Stay>;
  gatewayId(gateway: number): Uint8Array;
}

export const PRESENCE_SIGNAL = 127;

/** W in twentieths of a second: 0.3 of its seconds, halved. */
export const presenceWeight = (seconds: number): number => 3 * seconds;

/** Co-presences of a person that last `minSeconds` at least. */
export function forEachCopresence(
  view: PresenceView,
  person: number,
  minSeconds: number,
  visit: (other: number, start: number, end: number, gateway: number) => void,
): void {
  for (const mine of view.staysOf(person)) {
    for (const theirs of view.overlapping(mine.gateway, mine.start, mine.end)) {
      if (theirs.person === person) continue;
      const start = Math.max(mine.start, theirs.start);
      const end = Math.min(mine.end, theirs.end);
      if (end >= start && end - start >= minSeconds) visit(theirs.person, start, end, mine.gateway);
    }
  }
}
