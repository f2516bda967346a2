/**
 * What the beacon MACs of a record prove (protocol.md §6): that its reporter heard the peer's tag itself, then.
 *
 * A proof holds when its MAC is the peer's of that minute and it stands where an honest tag writes it: A in the
 * minute of the start, B no more than a minute past the end. Both hold: the record reaches to the end of B's
 * minute and the hold at most. One: it counts for 60 s and the hold at most, marked partial. None: replayed or
 * forged, never a contact. What exceeds the cap is cut from immediate first.
 */
import { equalBytes } from '../../protocol/bytes.js';
import { beaconMac } from '../../protocol/tag/beacon.js';
import type { BeaconProof, BucketSeconds, EncounterRecord } from '../../protocol/tag/encounter-record.js';
import { authKeyOf } from '../../protocol/tag/ephemeral-id.js';
import { minuteOf } from '../../protocol/time.js';

/** What both kinds of record have in common. */
export type ProvenRecord = Pick<
  EncounterRecord,
  'start' | 'durationSeconds' | 'peerTxPowerDbm' | 'proofA' | 'proofB'
>;

export interface ProofVerdict {
  /** How many of the two MACs are the tag's own. */
  readonly valid: 0 | 1 | 2;
  /** The first of them is: the record began when it says. */
  readonly isStartProven: boolean;
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
  const first = isFirstInPlace(record) && holds(record.proofA);
  const last = isLastInPlace(record) && holds(record.proofB);
  const valid = first && last ? 2 : first || last ? 1 : 0;
  const capSeconds = valid === 0 ? 0 : capSecondsOf(record, valid, sampleHoldSeconds);
  return { valid, isStartProven: first, capSeconds };
}

/** Seconds that may be credited at most to a record of which one or both proofs hold. With both they are its first. */
export function capSecondsOf(
  { start, durationSeconds, proofB }: ProvenRecord,
  valid: 1 | 2,
  sampleHoldSeconds: number,
): number {
  const heardSeconds = valid === 1 ? 60 : 60 * (proofB.minuteOffset + 1) - (start % 60);
  return Math.min(durationSeconds, heardSeconds + sampleHoldSeconds);
}

/**
 * How many of a record's two proofs stand where an honest tag writes them: more cannot hold, whatever their
 * MACs are.
 */
export const proofsInPlace = (record: ProvenRecord): number =>
  Number(isFirstInPlace(record)) + Number(isLastInPlace(record));

/** A record begins with its first beacon. */
export const isFirstInPlace = ({ proofA }: ProvenRecord): boolean => proofA.minuteOffset === 0;

/** The minute of the start may have begun up to 59 s before it, and seconds are floored. */
const isLastInPlace = ({ durationSeconds, proofB }: ProvenRecord): boolean =>
  60 * proofB.minuteOffset <= durationSeconds + 60;

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
