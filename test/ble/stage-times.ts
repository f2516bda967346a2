import { STAGE_TIMEOUT_MS } from '../contracts/stage-timeout.js';
import type { BleTimes } from '../../radio/ble/ble-times.js';

/** Times of a radio under the contract suite: short where the suite waits for them. */
export const STAGE_TIMES: Partial<BleTimes> = { attMs: STAGE_TIMEOUT_MS, discoverMs: 1_000 };
