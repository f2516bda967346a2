/**
 * Payloads over the ledger's HTTP (docs/ledger-http.md):
 *
 *     request     hashes of 32 bytes in a row, 1 to 256
 *     answer      for each hash in order: length u32 || the payload
 *                 ff ff ff ff when the ledger does not hold it
 *                 ff ff ff fe || day u32 || prunedAtMs u64 || prunedBy u64 when its day was pruned
 *
 * When one of them is damaged there is no answer: 500 with the {@link CODE_HEADER} `damaged-payload`.
 */
import { asUnixMs } from '../../protocol/brands.js';
import { ByteReader, ByteWriter, concat } from '../../protocol/bytes.js';
import { FirebreakError } from '../../protocol/errors.js';
import { isPruned, type FoundPayload, type PrunedPayload } from '../../protocol/tlog/ledger-reader.js';

export const MAX_PAYLOADS_PER_CALL = 256;
/** By which a program knows why there is no answer, here and wherever the ledger answers readers. */
export const CODE_HEADER = 'firebreak-code';
const HASH_BYTES = 32;
const ABSENT = 0xffff_ffff;
const PRUNED = 0xffff_fffe;

export function encodeHashes(hashes: readonly Uint8Array[]): Uint8Array {
  return concat(...hashes);
}

/** Throws `format`. */
export function decodeHashes(bytes: Uint8Array): Uint8Array[] {
  const count = bytes.length / HASH_BYTES;
  if (!Number.isInteger(count) || count < 1 || count > MAX_PAYLOADS_PER_CALL) {
    throw new FirebreakError(
      'format',
      `a request for payloads is 1 to ${MAX_PAYLOADS_PER_CALL} hashes of 32 bytes`,
    );
  }
  return Array.from({ length: count }, (_, i) => bytes.slice(i * HASH_BYTES, (i + 1) * HASH_BYTES));
}

const absentFrame = (): Uint8Array => new ByteWriter(4).u32(ABSENT).finish();

const prunedFrame = ({ day, prunedAtMs, prunedBy }: PrunedPayload): Uint8Array =>
  new ByteWriter(24).u32(PRUNED).u32(day).u64(prunedAtMs).u64(prunedBy).finish();

export function encodePayloads(payloads: readonly FoundPayload[]): Uint8Array {
  const frames = payloads.flatMap((found) => {
    if (found === undefined) return [absentFrame()];
    if (isPruned(found)) return [prunedFrame(found)];
    return [new ByteWriter(4).u32(found.length).finish(), found];
  });
  return concat(...frames);
}

function readFrame(reader: ByteReader): FoundPayload {
  const length = reader.u32();
  if (length === ABSENT) return undefined;
  if (length !== PRUNED) return reader.take(length);
  return { day: reader.u32(), prunedAtMs: asUnixMs(reader.u64()), prunedBy: reader.u64() };
}

/** The answer to a request for `count` payloads. Throws `format`. */
export function decodePayloads(bytes: Uint8Array, count: number): FoundPayload[] {
  const reader = new ByteReader(bytes, "the ledger's answer");
  try {
    const payloads = Array.from({ length: count }, () => readFrame(reader));
    reader.end();
    return payloads;
  } catch (cause) {
    throw new FirebreakError('format', `the ledger's answer does not hold ${count} payloads`, { cause });
  }
}
