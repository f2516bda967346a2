/**
 * A tag that a gateway saw, from a record of a presence report and how far its beacon MACs hold (protocol.md
 * §8, tracing.md).
 */
import type { TagNumber } from '../../protocol/brands.js';
import { capSecondsOf } from '../records/beacon-proof.js';
import type { ProvenRecord } from '../records/beacon-proof.js';

export interface Sighting {
  readonly tag: TagNumber;
  /** Party ID, 16 bytes. */
  readonly gatewayId: Uint8Array;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
}

export interface Seen {
  readonly tag: TagNumber;
  /** How many of the two beacon MACs are the tag's own. */
  readonly beacons: 1 | 2;
  readonly gatewayId: Uint8Array;
  readonly sampleHoldSeconds: number;
}

/**
 * From its first beacon on, which has to be genuine: a run of sightings is a stay. No longer than its beacon
 * MACs vouch for.
 */
export function sightingOf(
  record: ProvenRecord,
  { tag, beacons, gatewayId, sampleHoldSeconds }: Seen,
): Sighting {
  const seconds = capSecondsOf(record, beacons, sampleHoldSeconds);
  return { tag, gatewayId, start: record.start, end: record.start + seconds };
}
