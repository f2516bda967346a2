/** One side's word on one meeting, from a record and how far its beacon MACs hold (protocol.md §6). */
import type { Epoch, TagNumber } from '../../protocol/brands.js';
import type { BucketSeconds, EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import { capBuckets, capSecondsOf } from './beacon-proof.js';

/** A proven record of one side. */
export interface Testimony {
  readonly reporter: TagNumber;
  readonly peer: TagNumber;
  readonly epoch: Epoch;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  readonly medianAttenuationDb: number;
  /** Proven by one beacon only. */
  readonly partial: boolean;
  readonly ledgerIndex: number;
}

export interface Heard {
  readonly reporter: TagNumber;
  /** Whose ephemeral ID was heard, and the epoch in it. */
  readonly peer: { readonly tag: TagNumber; readonly epoch: Epoch };
  /** How many of the two beacon MACs are the peer's own. */
  readonly beacons: 1 | 2;
  readonly sampleHoldSeconds: number;
  readonly ledgerIndex: number;
}

/**
 * An ephemeral ID may be heard in the epochs next to its own: whatever a record claims, a contact lasts 2,700 s
 * at most.
 */
const lastEndOf = (epoch: Epoch): number => (epoch + 2) * EPOCH_SECONDS;

/**
 * Proven by both beacons, it ends where they end to prove it: merging counts on that. The record's start lies
 * at most one epoch from the peer's (protocol.md §6): the caller has checked it.
 */
export function testimonyOf(record: EncounterRecord, heard: Heard): Testimony {
  const { reporter, peer, beacons, sampleHoldSeconds, ledgerIndex } = heard;
  const capSeconds = capSecondsOf(record, beacons, sampleHoldSeconds);
  const lengthSeconds = beacons === 2 ? capSeconds : record.durationSeconds;
  const end = Math.min(record.start + lengthSeconds, lastEndOf(peer.epoch));
  return {
    reporter,
    peer: peer.tag,
    epoch: peer.epoch,
    start: record.start,
    end,
    bucketSeconds: capBuckets(record.bucketSeconds, Math.min(capSeconds, end - record.start)),
    medianAttenuationDb: record.medianAttenuationDb,
    partial: beacons === 1,
    ledgerIndex,
  };
}
