/** One side's word on one meeting, from a record and how far its beacon MACs hold (protocol.md §6). */
import type { Epoch, TagNumber } from '../protocol/brands.js';
import type { EncounterRecord } from '../protocol/encounter-record.js';
import { capBuckets, capSecondsOf } from './beacon-proof.js';
import type { Testimony } from './contact-book.js';

export interface Heard {
  readonly reporter: TagNumber;
  /** Whose ephemeral ID was heard, and the epoch in it. */
  readonly peer: { readonly tag: TagNumber; readonly epoch: Epoch };
  /** How many of the two beacon MACs are the peer's own. */
  readonly beacons: 1 | 2;
  readonly sampleHoldSeconds: number;
  readonly ledgerIndex: number;
}

export function testimonyOf(record: EncounterRecord, heard: Heard): Testimony {
  const { reporter, peer, beacons, sampleHoldSeconds, ledgerIndex } = heard;
  return {
    reporter,
    peer: peer.tag,
    epoch: peer.epoch,
    start: record.start,
    end: record.start + record.durationSeconds,
    bucketSeconds: capBuckets(record.bucketSeconds, capSecondsOf(record, beacons, sampleHoldSeconds)),
    medianAttenuationDb: record.medianAttenuationDb,
    partial: beacons === 1,
    ledgerIndex,
  };
}
