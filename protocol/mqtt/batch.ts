/**
 * What a writer sends the ledger (protocol.md §9):
 *
 *     CBOR [1, writerId bstr16, seq, [[type, timeMs, payload bstr], …]]
 *          || Ed25519(writer, D("firebreak/batch/v1") || the CBOR) 64
 *
 * Bounds: 1 to 256 items, a payload at most 64 KiB, a batch at most 4 MiB. H(batch) covers the signature too.
 */
import { asUnixMs, type UnixMs } from '../brands.js';
import { equalBytes } from '../bytes.js';
import { cborHeadSize, CborReader, CborWriter } from '../cbor.js';
import { SIGNATURE_BYTES, signDomain, verifyDomain, type Signer } from '../crypto/ed25519.js';
import { MAX_ENTRY_TYPE, MAX_PAYLOAD_LENGTH } from '../tlog/entry.js';
import { FirebreakError } from '../errors.js';
import { sha256 } from '../crypto/hash.js';
import { partyIdOf } from '../keys.js';

export const MAX_BATCH_ITEMS = 256;
export const MAX_BATCH_LENGTH = 4 * 1_048_576;
const WRITER_ID_BYTES = 16;
const VERSION = 1;
const DOMAIN = 'firebreak/batch/v1';

export interface BatchItem {
  /** Entry type (protocol.md §10). */
  readonly type: number;
  /** receivedAt for reports. */
  readonly timeMs: UnixMs;
  readonly payload: Uint8Array;
}

export interface Batch {
  readonly writerId: Uint8Array;
  /** Counts the writer's batches without gaps. */
  readonly seq: number;
  readonly items: readonly BatchItem[];
}

export interface DecodedBatch {
  readonly batch: Batch;
  /** The CBOR, which the signature covers after its domain. */
  readonly signedBytes: Uint8Array;
  readonly signature: Uint8Array;
}

/**
 * How many bytes an item adds to a batch at most: fill one while overhead and items stay within {@link
 * MAX_BATCH_LENGTH}.
 */
export function batchItemSize({ payload }: BatchItem): number {
  return 1 + 3 + 9 + cborHeadSize(payload.length) + payload.length;
}

/** Bytes a batch takes beside its items, at most. */
export const BATCH_OVERHEAD = 1 + 1 + 17 + 9 + 3 + SIGNATURE_BYTES;

/** Throws `size` over a bound, `format` for a field out of its range. */
export function encodeBatch(batch: Batch, signer: Signer): Uint8Array {
  const { writerId, seq, items } = batch;
  const capacity = items.reduce((sum, item) => sum + batchItemSize(item), BATCH_OVERHEAD);
  if (writerId.length !== WRITER_ID_BYTES) throw new FirebreakError('format', 'a writer id has 16 bytes');
  requireSize(
    items.length >= 1 && items.length <= MAX_BATCH_ITEMS,
    `a batch holds 1 to ${MAX_BATCH_ITEMS} items`,
  );
  requireSize(capacity <= MAX_BATCH_LENGTH, `a batch is at most ${MAX_BATCH_LENGTH} bytes`);
  const writer = new CborWriter(capacity)
    .array(4)
    .uint(VERSION)
    .bytes(writerId)
    .uint(seq)
    .array(items.length);
  for (const item of items) writeItem(writer, item);
  const signedBytes = writer.finish();
  return Buffer.concat([signedBytes, signDomain(signer, DOMAIN, signedBytes)]);
}

function writeItem(writer: CborWriter, { type, timeMs, payload }: BatchItem): void {
  requireSize(payload.length <= MAX_PAYLOAD_LENGTH, `a payload is at most ${MAX_PAYLOAD_LENGTH} bytes`);
  if (type > MAX_ENTRY_TYPE) throw new FirebreakError('format', `an entry type is at most ${MAX_ENTRY_TYPE}`);
  writer.array(3).uint(type).uint(timeMs).bytes(payload);
}

function requireSize(holds: boolean, bound: string): void {
  if (!holds) throw new FirebreakError('size', bound);
}

/** What every batch begins with, before the writer's id: an array of four, the version, a string of 16 bytes. */
const HEAD = Uint8Array.of(0x84, VERSION, 0x40 + WRITER_ID_BYTES);

/** The writer a batch names, without reading the rest: its place is fixed. `undefined` for what is no batch. */
export function writerIdOfBatch(bytes: Uint8Array): Uint8Array | undefined {
  const end = HEAD.length + WRITER_ID_BYTES;
  if (bytes.length < end || !equalBytes(bytes.subarray(0, HEAD.length), HEAD)) return undefined;
  return new Uint8Array(bytes.subarray(HEAD.length, end)); // slice() of a Buffer would be a view
}

/**
 * Reads a batch without checking who signed it. Payloads are views of `bytes`, which may not change while they are in
 * use. Throws `size` over a bound, `format`.
 */
export function decodeBatch(bytes: Uint8Array): DecodedBatch {
  requireSize(bytes.length <= MAX_BATCH_LENGTH, `a batch is at most ${MAX_BATCH_LENGTH} bytes`);
  const end = Math.max(0, bytes.length - SIGNATURE_BYTES);
  const signedBytes = bytes.subarray(0, end);
  const reader = new CborReader(signedBytes, 'a batch');
  reader.array({ length: 4 });
  if (reader.uint() !== VERSION) throw new FirebreakError('format', 'a batch of a version that is not known');
  const writerId = reader.bytes(WRITER_ID_BYTES);
  const seq = reader.uint();
  const count = reader.array({ max: MAX_BATCH_ITEMS });
  if (count === 0) throw new FirebreakError('format', 'a batch without items');
  const items = Array.from({ length: count }, () => readItem(reader));
  reader.end();
  return { batch: { writerId, seq, items }, signedBytes, signature: bytes.subarray(end) };
}

function readItem(reader: CborReader): BatchItem {
  reader.array({ length: 3 });
  return {
    type: reader.uint(MAX_ENTRY_TYPE),
    timeMs: asUnixMs(reader.uint()),
    payload: reader.viewUpTo(MAX_PAYLOAD_LENGTH),
  };
}

/** Whether the batch names the holder of `publicKey` as its writer and that key signed it. */
export function verifyBatch({ batch, signedBytes, signature }: DecodedBatch, publicKey: Uint8Array): boolean {
  return (
    equalBytes(batch.writerId, partyIdOf(publicKey)) &&
    verifyDomain(publicKey, DOMAIN, signedBytes, signature)
  );
}

/** H(batch), signature and all: what the ledger receipt names. */
export function batchHash(bytes: Uint8Array): Uint8Array {
  return sha256(bytes);
}
