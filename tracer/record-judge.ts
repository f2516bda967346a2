/** Whom a record is about and whether it is proven (protocol.md §6): the same for what tags and what gateways heard. */
import type { TagNumber } from '../protocol/brands.js';
import type { DayKeysOf } from '../protocol/report-open.js';
import { judgeProofs } from './beacon-proof.js';
import type { ProvenRecord } from './beacon-proof.js';
import type { RecordTally } from './intake-counts.js';
import { resolvePeer } from './peer.js';
import type { Peer } from './peer.js';

export interface Proven {
  readonly peer: Peer;
  /** How many of its two beacon MACs are the peer's own. */
  readonly beacons: 1 | 2;
  /** The first of them is. */
  readonly isStartProven: boolean;
}

interface Bench {
  readonly dayKeysOf: DayKeysOf;
  readonly sampleHoldSeconds: number;
  readonly tally: RecordTally;
  /** Who speaks; a tag that heard itself heard an echo. A gateway is nobody's tag. */
  readonly reporter: TagNumber | undefined;
}

/** It is counted. `undefined` for a record that is of nobody else; `forged` ones are evidence. */
export function judgeRecord(
  record: ProvenRecord,
  ephId: Uint8Array,
  { dayKeysOf, sampleHoldSeconds, tally, reporter }: Bench,
): Proven | 'forged' | undefined {
  tally.records += 1;
  const peer = resolvePeer(ephId, record.start, dayKeysOf);
  if (peer === undefined || peer.tag === reporter) {
    tally.unresolved += 1;
    return undefined;
  }
  const { valid, isStartProven } = judgeProofs(record, ephId, peer.keys.macKey, sampleHoldSeconds);
  if (valid === 0) {
    tally.forged += 1;
    return 'forged';
  }
  if (valid === 1) tally.partial += 1;
  return { peer, beacons: valid, isStartProven };
}
