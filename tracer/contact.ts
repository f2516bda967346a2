/** A contact (tracing.md, "Contact"): what the ledger knows of one pair of tags in one epoch. */
import type { Epoch, TagNumber } from '../protocol/brands.js';
import type { BucketSeconds } from '../protocol/tag/encounter-record.js';
import { MAX_CONTACT_SECONDS } from './contacts/segment.js';
import type { AttenuationClass } from './walk/lens.js';

export interface Contact {
  /** The lower tag number of the pair. */
  readonly a: TagNumber;
  readonly b: TagNumber;
  readonly epoch: Epoch;
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  /** The lower of the sides' medians, dB. */
  readonly attenuationDb: number;
  /** Both sides reported it. */
  readonly mutual: boolean;
  /** Some record it rests on is proven by one beacon only (protocol.md §6). */
  readonly partial: boolean;
  /** The indexes of the ledger entries it rests on, ascending. */
  readonly ledger: readonly number[];
}

/** Seconds within reach of an exposure: immediate and near, and never more than the contact store holds of one contact. */
export const nearSecondsOf = ({ bucketSeconds }: Contact): number =>
  Math.min(bucketSeconds[0] + bucketSeconds[1], MAX_CONTACT_SECONDS);

/** Seconds that count towards a close contact (tracing.md, "Contact"): of the class, and of those nearer. */
export function classSecondsOf(contact: Contact, attenuation: AttenuationClass): number {
  const [immediate, near, medium] = contact.bucketSeconds;
  if (attenuation === 'near') return nearSecondsOf(contact);
  return attenuation === 'immediate' ? immediate : immediate + near + medium;
}
