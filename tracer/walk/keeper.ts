/** What a walk does with the contacts it finds open: earliest.ts keeps the earliest arrival, every.ts all of them. */

export interface Keeper {
  /** People reached in rounds that are over. */
  readonly reached: number;
  /** Arrivals from this one on are of the round under way. */
  readonly news: number;
  /** Begins a round; the frontier is what the round before brought. Improvements count for less in the last one. */
  beginRound(isLast: boolean): void;
  /**
   * A close contact of the infector that is open and in the window. Whether it is kept.
   *
   * @param other - the person on its other side
   * @param opens - its start in the lens
   * @param at - its end in the lens
   */
  take(other: number, opens: number, at: number, table: number, entry: number, weight: number): boolean;
  /** Ends a round: what it brought counts from now on. */
  settle(): void;
}
