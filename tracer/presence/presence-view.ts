/** Who stayed where, as walks see it (tracing.md). A stay is a maximal run of sightings with gaps of at most 300 s. */

export interface Stay {
  /** Dense, as the contact store numbers people. */
  readonly person: number;
  /** Dense, in the order in which gateways were first heard from. */
  readonly gateway: number;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
}

export interface PresenceView {
  /** Unix seconds from which on all stays are there, where some before had to go; absent where all are. */
  readonly knownFrom?: number | undefined;
  /** By start, then gateway; none for a person nobody saw. */
  staysOf(person: number): readonly Stay[];
  /**
   * Stays at the gateway with start ≤ `end` and end ≥ `start`, in no order that is promised; `undefined` now
   * and then on the way to the next one, where a long search can be paused.
   */
  overlapping(gateway: number, start: number, end: number): Iterable<Stay | undefined>;
  /** Gateways have the numbers 0 to this, exclusive. */
  readonly gateways: number;
  /** The party ID of the gateway with this number. Throws RangeError for a number that is none. */
  gatewayId(gateway: number): Uint8Array;
}

/** What an answer by presence adds where its window begins before what is known of stays. */
export function presenceFromIn(
  view: PresenceView | undefined,
  from: number,
): { readonly presenceFrom?: number } {
  const presenceFrom = view?.knownFrom;
  return presenceFrom !== undefined && from < presenceFrom ? { presenceFrom } : {};
}
