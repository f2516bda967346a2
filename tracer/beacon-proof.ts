/**
 * What the beacon MACs of a record prove (protocol.md §6): that its reporter heard the peer's tag itself, then.
 *
 * Both valid: the seconds may sum up to min(duration, 60·(offsetB − offsetA + 1) + hold). One valid: 60 + hold, marked
 * partial. None: replayed or forged, never a contact. What exceeds the cap is cut from immediate first.
 */
import { equalBytes } from '../protocol/bytes.js';
import { beaconMac } from '../protocol/beacon.js';
import type { BeaconProof, BucketSeconds, EncounterRecord } from '../protocol/encounter-record.js';
import { authKeyOf } from '../protocol/ephemeral-id.js';
import { minuteOf } from '../protocol/time.js';

/** What both kinds of record have in common. */
export type ProvenRecord = Pick<
  EncounterRecord,
  'start' | 'durationSeconds' | 'peerTxPowerDbm' | 'proofA' | 'proofB'
>;

export interface ProofVerdict {
  /** How many of the two MACs are the tag's own. */
  readonly valid: 0 | 1 | 2;
  /** Seconds that may be credited at most. */
  readonly capSeconds: number;
}

export function judgeProofs(
  record: ProvenRecord,
  ephId: Uint8Array,
  macKey: Uint8Array,
  sampleHoldSeconds: number,
): ProofVerdict {
  const authKey = authKeyOf(macKey, ephId);
  const holds = (proof: BeaconProof) => isGenuine(record, proof, ephId, authKey);
  const [first, last] = [holds(record.proofA), holds(record.proofB)];
  const valid = first && last ? 2 : first || last ? 1 : 0;
  return { valid, capSeconds: valid === 0 ? 0 : capSecondsOf(record, valid, sampleHoldSeconds) };
}

/** Seconds that may be credited at most to a record of which one or both MACs are the tag's own. */
export function capSecondsOf(
  { durationSeconds, proofA, proofB }: ProvenRecord,
  valid: 1 | 2,
  sampleHoldSeconds: number,
): number {
  if (valid === 1) return 60 + sampleHoldSeconds;
  const minutes = proofB.minuteOffset - proofA.minuteOffset + 1;
  return Math.max(0, Math.min(durationSeconds, 60 * minutes + sampleHoldSeconds));
}

/** The peer's clock may be a minute away from the reporter's. */
function isGenuine(
  record: ProvenRecord,
  proof: BeaconProof,
  ephId: Uint8Array,
  authKey: Uint8Array,
): boolean {
  const heard = minuteOf(record.start) + proof.minuteOffset;
  return [heard, heard - 1, heard + 1].some((minute) =>
    equalBytes(beaconMac(authKey, record.peerTxPowerDbm, ephId, minute), proof.mac),
  );
}

/** Cuts what exceeds the cap from immediate first, then near, medium, other. */
export function capBuckets(bucketSeconds: BucketSeconds, capSeconds: number): BucketSeconds {
  let excess = bucketSeconds.reduce((sum, seconds) => sum + seconds, 0) - capSeconds;
  const cut = (seconds: number): number => {
    const taken = Math.min(seconds, Math.max(0, excess));
    excess -= taken;
    return seconds - taken;
  };
  const [immediate, near, medium, other] = bucketSeconds;
  return [cut(immediate), cut(near), cut(medium), cut(other)];
}
