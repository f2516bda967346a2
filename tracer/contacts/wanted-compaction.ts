/**
 * Which segments of an open store are to be compacted next: those that hold what has to go first, then as the
 * policy has it.
 */
import { nextCompaction } from './compaction-policy.js';
import type { SealedContacts } from './sealed-contacts.js';
import type { SegmentInfo } from './manifest.js';
import { MAX_CONTACT_SECONDS } from './segment.js';

export interface CompactionState {
  /** Days (UTC) before this one are over. */
  readonly today: number;
  /** What ended before is past retention, unix seconds. */
  readonly keepFrom: number;
  /** By what border its oldest contacts were left out when the segment was made, unix seconds. */
  readonly cutAt: (id: number) => number;
}

/** Ids, oldest first; `undefined` when all is well as it is. */
export function wantedCompaction(
  standing: readonly SegmentInfo[],
  { list }: SealedContacts,
  { today, keepFrom, cutAt }: CompactionState,
): readonly number[] | undefined {
  const past = standing.find((info) => isPast(info, keepFrom, cutAt));
  if (past) return [past.id];
  const sealed = new Map(list.map((one) => [one.segment.id, one]));
  const replacedIn = (id: number): number => {
    const one = sealed.get(id);
    return one ? one.segment.entries / 2 - one.contacts : 0;
  };
  return nextCompaction(standing, { today, keepFrom, replacedIn });
}

/** Whether contacts in it have to go: those that are past retention do not wait until it is worth it. */
function isPast(
  { id, baseSeconds }: SegmentInfo,
  keepFrom: number,
  cutAt: CompactionState['cutAt'],
): boolean {
  if (baseSeconds + MAX_CONTACT_SECONDS < keepFrom) return true;
  return baseSeconds < keepFrom && cutAt(id) < keepFrom;
}
