/** A segment as part of an open store: with what its contacts rest on, and how many of them stand. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { ColdContact } from './cold-contact.js';
import { contactAt } from './cold-evidence.js';
import type { ColdEvidence } from './cold-evidence.js';
import { isMutual } from './segment.js';
import type { Segment } from './segment.js';
import type { StoredSegment } from './store-open.js';

const ENTRIES_AT_ONCE = 2 ** 16;

/** A segment, what its contacts rest on, and how many of them were not replaced. */
export interface SealedSegment {
  readonly segment: Segment;
  readonly evidence: ColdEvidence;
  /** Throws `damaged` when the evidence is. */
  readonly contactAt: (entry: number) => ColdContact;
  contacts: number;
  /** Of those, the ones that both sides reported. */
  mutual: number;
}

function mutualIn({ startSignal }: Segment, from: number, to: number): number {
  let mutual = 0;
  for (let entry = from; entry < to; entry++) if (isMutual(startSignal[entry]!)) mutual += 1;
  return mutual;
}

/** Counting the mutual ones takes a look at every entry; others on this thread have their turns meanwhile. */
export async function sealedSegment({ segment, evidence }: StoredSegment): Promise<SealedSegment> {
  let mutual = 0;
  for (let from = 0; from < segment.entries; from += ENTRIES_AT_ONCE) {
    mutual += mutualIn(segment, from, Math.min(from + ENTRIES_AT_ONCE, segment.entries));
    await breathe();
  }
  return {
    segment,
    evidence,
    contactAt: (entry) => contactAt(evidence, segment, entry),
    contacts: segment.entries / 2,
    mutual: mutual / 2,
  };
}
