/**
 * What a sealed contact rests on: who said what, as its evidence file has it (evidence-file.ts). Enough to merge a late
 * word with it and get the contact that one book of all words would give.
 */
import { asEpoch } from '../../protocol/brands.js';
import type { Epoch } from '../../protocol/brands.js';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import type { BucketSeconds } from '../../protocol/tag/encounter-record.js';

/** What one side said of one stretch of a contact, and where in the ledger. */
export interface ColdAccount {
  /** Unix seconds. */
  readonly start: number;
  readonly end: number;
  readonly bucketSeconds: BucketSeconds;
  readonly medianAttenuationDb: number;
  /** Proven by one beacon only. */
  readonly partial: boolean;
  /** Indexes of entries, ascending. */
  readonly ledger: readonly number[];
}

export type SideAccounts = readonly [lower: readonly ColdAccount[], upper: readonly ColdAccount[]];

export interface ColdContact {
  /** Persons; which of two is lower is a matter of the directory, not of tag numbers. */
  readonly lower: number;
  readonly upper: number;
  readonly epoch: Epoch;
  readonly start: number;
  /** At most 65,535 s. */
  readonly durationSeconds: number;
  /** Of the merged contact, at most 65,535 s each. */
  readonly bucketSeconds: BucketSeconds;
  readonly attenuationDb: number;
  readonly mutual: boolean;
  readonly partial: boolean;
  /**
   * What the lower person's tag said, and what the upper's; a contact from columns has one account a side and
   * no ledger.
   */
  readonly accounts: SideAccounts;
}

const ACCOUNT_BYTES = 22;
const HEAD_BYTES = 8;

/**
 * epoch u32 | accounts of each side u16 u16, then each: start u32 | end u32 | 4 × u16 | dB u8 | partial u8 |
 * ledger u32 × u48
 */
export function encodeDetails(epoch: Epoch, accounts: SideAccounts): Uint8Array {
  const all = accounts.flat();
  const size = all.reduce((sum, { ledger }) => sum + ACCOUNT_BYTES + 6 * ledger.length, HEAD_BYTES);
  const writer = new ByteWriter(size).u32(epoch).u16(accounts[0].length).u16(accounts[1].length);
  for (const { start, end, bucketSeconds, medianAttenuationDb, partial, ledger } of all) {
    writer.u32(start).u32(end);
    for (const seconds of bucketSeconds) writer.u16(seconds);
    writer
      .u8(medianAttenuationDb)
      .u8(partial ? 1 : 0)
      .u32(ledger.length);
    for (const index of ledger) writer.u48(index);
  }
  return writer.finish();
}

/** Throws `format` for bytes that {@link encodeDetails} did not make. */
export function decodeDetails(bytes: Uint8Array): { readonly epoch: Epoch; readonly accounts: SideAccounts } {
  const reader = new ByteReader(bytes, 'evidence of a contact');
  const epoch = asEpoch(reader.u32());
  const [lower, upper] = [reader.u16(), reader.u16()];
  const sides: SideAccounts = [readAccounts(reader, lower), readAccounts(reader, upper)];
  reader.end();
  return { epoch, accounts: sides };
}

const readAccounts = (reader: ByteReader, count: number): ColdAccount[] =>
  Array.from({ length: count }, () => readAccount(reader));

function readAccount(reader: ByteReader): ColdAccount {
  const [start, end] = [reader.u32(), reader.u32()];
  const bucketSeconds: BucketSeconds = [reader.u16(), reader.u16(), reader.u16(), reader.u16()];
  const [medianAttenuationDb, partial, entries] = [reader.u8(), reader.u8() === 1, reader.u32()];
  const ledger = Array.from({ length: entries }, () => reader.u48());
  return { start, end, bucketSeconds, medianAttenuationDb, partial, ledger };
}
