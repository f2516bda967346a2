/** How long things may take over Bluetooth, wall ms: they guard against peers and controllers that hang. */
export interface BleTimes {
  /** Until whoever is to be connected to has advertised. */
  readonly discoverMs: number;
  /** A connectable advert heard this short a time ago need not be waited for again. */
  readonly recentMs: number;
  /** Until a connection is made, and again until its attributes are found. */
  readonly connectMs: number;
  /** Until a request is answered (ATT transaction timeout: Bluetooth Core, Vol 3, Part F, 3.3.3). */
  readonly attMs: number;
  /** After which a client that asks nothing, or is not answered, is disconnected: the line behind it is long. */
  readonly idleMs: number;
  /** Until noble and bleno have a controller ready. */
  readonly powerOnMs: number;
}

export const DEFAULT_TIMES: BleTimes = {
  discoverMs: 5_000,
  recentMs: 5_000,
  connectMs: 5_000,
  attMs: 30_000,
  idleMs: 30_000,
  powerOnMs: 15_000,
};
