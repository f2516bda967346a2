/** Epochs, minutes and days (protocol.md §2): epoch = ⌊t/900⌋, minute = ⌊t/60⌋, day = ⌊t/86400⌋, t in unix seconds. */
import { asEpoch } from './brands.js';
import type { Epoch } from './brands.js';

export const EPOCH_SECONDS = 900;
export const DAY_SECONDS = 86_400;
/**
 * A clock that goes on by more than this at once leapt, for all that is known: whatever cannot be undone
 * waits for a person's word, or for what others say of the time (docs/retention.md).
 */
export const MAX_CLOCK_STEP_DAYS = 2;
export const EPOCHS_PER_DAY = DAY_SECONDS / EPOCH_SECONDS;

export const epochOf = (unixSeconds: number): Epoch => asEpoch(Math.floor(unixSeconds / EPOCH_SECONDS));
export const minuteOf = (unixSeconds: number): number => Math.floor(unixSeconds / 60);
export const dayOf = (unixSeconds: number): number => Math.floor(unixSeconds / DAY_SECONDS);
export const dayOfEpoch = (epoch: Epoch): number => Math.floor(epoch / EPOCHS_PER_DAY);
export const firstEpochOfDay = (day: number): Epoch => asEpoch(day * EPOCHS_PER_DAY);
