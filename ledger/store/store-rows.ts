/**
 * Rows of the level store that are neither entries nor tiles.
 *
 *     batch     H(batch) 32 | size u48 | root 32 | count u16 | { reason u8 | index u48 } each      index 2^48 − 1: null
 *     format    version u32 | log key 32 | origin, UTF-8
 */
import { asTreeSize } from '../../protocol/brands.js';
import { ByteReader, ByteWriter } from '../../protocol/bytes.js';
import type { Outcome } from '../../protocol/mqtt/ledger-receipt.js';
import type { BatchRecord, StoreIdentity } from './store.js';

const NO_INDEX = 2 ** 48 - 1;
const BATCH_FIXED = 72;
const OUTCOME_BYTES = 7;
const FORMAT_FIXED = 36;

/** Version of the whole folder. */
export const FORMAT_VERSION = 5;
/** Its payload index has older parts alone (payload-parts.ts); from its next opening on it is of the newest version. */
const OLDEST_KNOWN_VERSION = 4;

/** A folder of any other version is refused. */
export const isKnownVersion = (version: number): boolean =>
  OLDEST_KNOWN_VERSION <= version && version <= FORMAT_VERSION;

export function encodeBatchRow(record: BatchRecord): Uint8Array {
  const writer = new ByteWriter(BATCH_FIXED + OUTCOME_BYTES * record.outcomes.length);
  writer.bytes(record.batchHash);
  writer.u48(record.size);
  writer.bytes(record.root);
  writer.u16(record.outcomes.length);
  for (const outcome of record.outcomes) {
    writer.u8(outcome.reason);
    writer.u48(outcome.index ?? NO_INDEX);
  }
  return writer.finish();
}

function readOutcome(reader: ByteReader): Outcome {
  const reason = reader.u8();
  const index = reader.u48();
  return { reason, index: index === NO_INDEX ? null : index };
}

/** Throws `format`. */
export function decodeBatchRow(bytes: Uint8Array, writerId: Uint8Array, seq: number): BatchRecord {
  const reader = new ByteReader(bytes, 'a batch row');
  const batchHash = reader.take(32);
  const size = asTreeSize(reader.u48());
  const root = reader.take(32);
  const outcomes = Array.from({ length: reader.u16() }, () => readOutcome(reader));
  reader.end();
  return { writerId, seq, batchHash, outcomes, size, root };
}

export interface FolderFormat extends StoreIdentity {
  readonly version: number;
}

export function encodeFormatRow(identity: StoreIdentity): Uint8Array {
  const origin = Buffer.from(identity.origin, 'utf8');
  const writer = new ByteWriter(FORMAT_FIXED + origin.length);
  writer.u32(FORMAT_VERSION);
  writer.bytes(identity.logPublicKey);
  writer.bytes(origin);
  return writer.finish();
}

/** Throws `format`. Only the version is to be trusted when it {@link isKnownVersion is not known}. */
export function decodeFormatRow(bytes: Uint8Array): FolderFormat {
  const reader = new ByteReader(bytes, 'the format row');
  const version = reader.u32();
  const logPublicKey = reader.take(32);
  return { version, logPublicKey, origin: Buffer.from(reader.take(reader.remaining)).toString('utf8') };
}
