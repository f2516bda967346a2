/** What the two tags of a contact that is given in columns would tell of it: one word each, where both noticed. */
import { asEpoch, asTagNumber } from '../../protocol/brands.js';
import { MUTUAL, PARTIAL } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import { EPOCH_SECONDS } from '../../protocol/time.js';
import type { Testimony } from '../../tracer/records/testimony.js';

/** The word of the lower tag, which is always there. */
export const wordOfLower = (columns: ContactColumns, k: number, entry: number): Testimony =>
  wordOf(columns, k, { reporter: columns.lower[k]!, peer: columns.upper[k]!, entry });

/** The word of the upper tag, where it noticed too. */
export function wordOfUpper(columns: ContactColumns, k: number, entry: number): Testimony | undefined {
  if ((columns.flags[k]! & MUTUAL) === 0) return undefined;
  return wordOf(columns, k, { reporter: columns.upper[k]!, peer: columns.lower[k]!, entry });
}

interface Told {
  readonly reporter: number;
  readonly peer: number;
  readonly entry: number;
}

function wordOf(columns: ContactColumns, k: number, { reporter, peer, entry }: Told): Testimony {
  const { immediate, near, medium, other } = columns;
  const start = columns.start[k]!;
  return {
    reporter: asTagNumber(reporter),
    peer: asTagNumber(peer),
    epoch: asEpoch(Math.floor(start / EPOCH_SECONDS)),
    start,
    end: start + columns.duration[k]!,
    bucketSeconds: [immediate[k]!, near[k]!, medium[k]!, other[k]!],
    medianAttenuationDb: columns.attenuationDb[k]!,
    partial: (columns.flags[k]! & PARTIAL) !== 0,
    ledgerIndex: entry,
  };
}
