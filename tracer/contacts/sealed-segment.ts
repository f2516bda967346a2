/** A segment as part of an open store: with what its contacts rest on, and how many of them stand. */
import { setImmediate as breathe } from 'node:timers/promises';
import type { ColdContact } from './cold-contact.js';
import { contactAt } from './cold-evidence.js';
import type { ColdEvidence } from './cold-evidence.js';
import { isMutual, signalAt } from './segment.js';
import type { Segment } from './segment.js';
import type { StoredSegment } from './store-open.js';

const ENTRIES_AT_ONCE = 2 ** 18;

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

/** Counting the mutual ones takes a look at every entry; others on this thread have their turns meanwhile. */
export async function sealedSegment({ segment, evidence }: StoredSegment): Promise<SealedSegment> {
  let mutual = 0;
  for (let entry = 0; entry < segment.entries; entry++) {
    if (isMutual(signalAt(segment, entry))) mutual += 1;
    if (entry % ENTRIES_AT_ONCE === ENTRIES_AT_ONCE - 1) await breathe();
  }
  return {
    segment,
    evidence,
    contactAt: (entry) => contactAt(evidence, segment, entry),
    contacts: segment.entries / 2,
    mutual: mutual / 2,
  };
}
