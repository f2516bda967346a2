/**
 * A record from near midnight whose ephemeral ID nobody could name with the keys of its own day while those of
 * the neighbouring day were not there. A row of 19 words, big-endian:
 *
 *     0 | 1 tag or 2 gateway, u8 | ledger index u48 | place in its report u16 |
 *     gateway ID 16, or tag number u48 and zeros
 *     | encounter record 50 (protocol.md §6); what a gateway heard has no seconds of buckets
 */
import { asTagNumber } from '../../protocol/brands.js';
import type { TagNumber } from '../../protocol/brands.js';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import {
  decodeEncounterRecord,
  encodeEncounterRecord,
  RECORD_BYTES,
} from '../../protocol/tag/encounter-record.js';
import type { EncounterRecord } from '../../protocol/tag/encounter-record.js';

/** Whoever heard it. */
export type Hearer =
  | { readonly kind: 'tag'; readonly tag: TagNumber }
  /** Party ID, 16 bytes. */
  | { readonly kind: 'gateway'; readonly gatewayId: Uint8Array };

export interface MidnightRecord {
  readonly hearer: Hearer;
  /** Of its report. */
  readonly ledgerIndex: number;
  /** In its report. */
  readonly place: number;
  readonly record: EncounterRecord;
}

/** A record, and the day whose keys may name who was heard. */
export interface WaitingRecord extends MidnightRecord {
  readonly waitsForDay: number;
}

export const MIDNIGHT_WORDS = 19;
const HEARER_BYTES = 16;
const TAG_KIND = 1;
const GATEWAY_KIND = 2;

export function rowOfRecord({ hearer, ledgerIndex, place, record }: MidnightRecord): Uint32Array {
  const isTag = hearer.kind === 'tag';
  const writer = new ByteWriter(4 * MIDNIGHT_WORDS).u8(0).u8(isTag ? TAG_KIND : GATEWAY_KIND);
  writer.u48(ledgerIndex).u16(place);
  if (isTag) writer.u48(hearer.tag).bytes(new Uint8Array(HEARER_BYTES - 6));
  else writer.bytes(hearer.gatewayId);
  const bytes = writer.bytes(encodeEncounterRecord(record)).finish();
  return new Uint32Array(bytes.slice().buffer);
}

/** What {@link rowOfRecord} gave. Throws `format` for anything else. */
export function recordOfRow(row: Uint32Array): MidnightRecord {
  const { buffer, byteOffset, byteLength } = row;
  const reader = new ByteReader(
    new Uint8Array(buffer, byteOffset, byteLength),
    'a record from near midnight',
  );
  const kind = reader.u16();
  const ledgerIndex = reader.u48();
  const place = reader.u16();
  const party = reader.take(HEARER_BYTES);
  const record = decodeEncounterRecord(reader.take(RECORD_BYTES));
  const hearer: Hearer =
    kind === TAG_KIND
      ? { kind: 'tag', tag: asTagNumber(new ByteReader(party, 'a tag number').u48()) }
      : { kind: 'gateway', gatewayId: party };
  return { hearer, ledgerIndex, place, record };
}
