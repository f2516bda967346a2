/**
 * Whose ephemeral ID a record names (protocol.md §6): decrypted with the key of day(start), and of the neighbouring day
 * within 120 s of midnight; the epoch inside must be within one of the record's.
 */
import type { Epoch, TagNumber } from '../../protocol/brands.js';
import { resolveEphemeralId } from '../../protocol/tag/ephemeral-id.js';
import type { DayKeys } from '../../protocol/keys.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { DAY_SECONDS, dayOf, epochOf } from '../../protocol/time.js';

const MIDNIGHT_SECONDS = 120;

export interface Peer {
  readonly tag: TagNumber;
  /** The contact's epoch. */
  readonly epoch: Epoch;
  /** Of the day whose key resolved it. */
  readonly keys: DayKeys;
}

export function resolvePeer(ephId: Uint8Array, start: number, dayKeysOf: DayKeysOf): Peer | undefined {
  for (const day of candidateDays(start)) {
    const keys = dayKeysOf(day);
    const resolved = keys && resolveEphemeralId(keys.idKey, ephId);
    if (resolved && Math.abs(resolved.epoch - epochOf(start)) <= 1) return { ...resolved, keys };
  }
  return undefined;
}

/** The neighbouring day that a record of this start may be named by, where there are no keys of it. */
export const neighbourWithoutKeys = (start: number, dayKeysOf: DayKeysOf): number | undefined =>
  candidateDays(start)
    .slice(1)
    .find((day) => dayKeysOf(day) === undefined);

/** Its own first. */
function candidateDays(start: number): number[] {
  const day = dayOf(start);
  const sinceMidnight = start % DAY_SECONDS;
  if (sinceMidnight <= MIDNIGHT_SECONDS) return [day, day - 1];
  return DAY_SECONDS - sinceMidnight <= MIDNIGHT_SECONDS ? [day, day + 1] : [day];
}
