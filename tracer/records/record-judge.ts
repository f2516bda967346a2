/** Whom a record is about and whether it is proven (protocol.md §6): the same for what tags and what gateways heard. */
import type { TagNumber } from '../../protocol/brands.js';
import type { DayKeysOf } from '../../protocol/tag/report-open.js';
import { judgeProofs } from './beacon-proof.js';
import type { ProvenRecord } from './beacon-proof.js';
import { neighbourWithoutKeys, resolvePeer } from './peer.js';
import type { Peer } from './peer.js';

/** What is counted of records. */
export interface RecordTally {
  records: number;
  /** Records proven by one beacon only. */
  partial: number;
  /** Records whose beacon MACs are nobody's: replayed or forged. */
  forged: number;
  /**
   * Records of an ID that is not ours, of another epoch, or of the reporter itself; and those that wait for keys
   * to name it with.
   */
  unresolved: number;
}

export const newRecordTally = (): RecordTally => ({ records: 0, partial: 0, forged: 0, unresolved: 0 });

export type Verdict =
  | Proven
  /** Its beacon MACs are nobody's, which is evidence. */
  | { readonly kind: 'forged' }
  /** Of nobody else, or of no tag of ours. */
  | { readonly kind: 'nobody' }
  /** It counts as one of nobody, unless the keys of this day come: {@link judgeAgain}. */
  | { readonly kind: 'waits'; readonly day: number };

export interface Proven {
  readonly kind: 'proven';
  readonly peer: Peer;
  /** How many of its two beacon MACs are the peer's own. */
  readonly beacons: 1 | 2;
  /** The first of them is. */
  readonly isStartProven: boolean;
}

export interface JudgeContext {
  readonly dayKeysOf: DayKeysOf;
  readonly sampleHoldSeconds: number;
  readonly tally: RecordTally;
  /** Who speaks; a tag that heard itself heard an echo. A gateway is nobody's tag. */
  readonly reporter: TagNumber | undefined;
}

const NOBODY: Verdict = { kind: 'nobody' };
const FORGED: Verdict = { kind: 'forged' };

/** It is counted. */
export function judgeRecord(
  record: ProvenRecord,
  ephId: Uint8Array,
  { dayKeysOf, sampleHoldSeconds, tally, reporter }: JudgeContext,
): Verdict {
  tally.records += 1;
  const peer = resolvePeer(ephId, record.start, dayKeysOf);
  if (peer === undefined || peer.tag === reporter) {
    tally.unresolved += 1;
    const day = peer ? undefined : neighbourWithoutKeys(record.start, dayKeysOf);
    return day === undefined ? NOBODY : { kind: 'waits', day };
  }
  const { valid, isStartProven } = judgeProofs(record, ephId, peer.keys.macKey, sampleHoldSeconds);
  if (valid === 0) {
    tally.forged += 1;
    return FORGED;
  }
  if (valid === 1) tally.partial += 1;
  return { kind: 'proven', peer, beacons: valid, isStartProven };
}

/** One that was counted, and waited. */
export function judgeAgain(record: ProvenRecord, ephId: Uint8Array, context: JudgeContext): Verdict {
  context.tally.records -= 1;
  context.tally.unresolved -= 1;
  return judgeRecord(record, ephId, context);
}
