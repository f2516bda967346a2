import type { BleTimes } from '../../radio/ble/ble-times.js';

/** Times of a radio under the contract suite: short where the suite waits for them, long enough for a busy machine. */
export const STAGE_TIMES: Partial<BleTimes> = { attMs: 1_000, discoverMs: 1_500, idleMs: 3_000 };
