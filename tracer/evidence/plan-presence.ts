/**
 * Which sightings it takes to show that two people were at one gateway at once (tracing.md, "Presence"): of each the fewest that
 * reach without a break from the beginning of the time they shared to its end. What else is known of their stays is left out.
 */
import type { Epoch, TagNumber } from '../../protocol/brands.js';
import type { Sighting } from '../presence/sighting.js';
import { MAX_GAP_SECONDS } from '../presence/day-rows.js';

/** A record of a presence report, and whose it was. */
export interface FoundSighting extends Sighting {
  readonly tag: TagNumber;
  readonly epoch: Epoch;
  readonly ephId: Uint8Array;
  /** The report, by its index in the log, and the place of the record in it. */
  readonly ledgerIndex: number;
  readonly record: number;
  readonly beacons: 1 | 2;
}

export interface SharedTime {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
}

/**
 * In order of time: the first begins at `start` or before, the last ends at `end` or later, no gap is longer than a stay may
 * have; `undefined` when they do not reach. `sightings` are of one person at one gateway.
 */
export function coverOf(
  sightings: readonly FoundSighting[],
  { start, end }: SharedTime,
): FoundSighting[] | undefined {
  const cover: FoundSighting[] = [];
  let reach = start - MAX_GAP_SECONDS;
  do {
    const begins = cover.length === 0 ? start : reach + MAX_GAP_SECONDS;
    const next = furthest(sightings.filter((one) => one.start <= begins));
    if (next === undefined || next.end < reach || next === cover.at(-1)) return undefined;
    cover.push(next);
    reach = next.end;
  } while (reach < end);
  return cover;
}

/** Of those that end last the one logged first. */
function furthest(sightings: readonly FoundSighting[]): FoundSighting | undefined {
  let best: FoundSighting | undefined;
  for (const one of sightings) {
    const isLater = best === undefined || one.end > best.end;
    const isAlike = one.end === best?.end;
    if (isLater || (isAlike && isLoggedBefore(one, best))) best = one;
  }
  return best;
}

const isLoggedBefore = (one: FoundSighting, other: FoundSighting | undefined): boolean =>
  other !== undefined &&
  (one.ledgerIndex < other.ledgerIndex ||
    (one.ledgerIndex === other.ledgerIndex && one.record < other.record));
