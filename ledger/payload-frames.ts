/**
 * Payloads over the ledger's HTTP (docs/ledger-http.md):
 *
 *     request     hashes of 32 bytes in a row, 1 to 256
 *     answer      for each hash in order: length u32 || the payload, or ff ff ff ff when the ledger does not hold it
 */
import { concat } from '../protocol/bytes.js';
import { FirebreakError } from '../protocol/errors.js';

export const MAX_PAYLOADS_PER_CALL = 256;
const HASH_BYTES = 32;
const ABSENT = 0xffff_ffff;

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

export function encodePayloads(payloads: readonly (Uint8Array | undefined)[]): Uint8Array {
  const frames = payloads.flatMap((payload) => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(payload?.length ?? ABSENT);
    return payload === undefined ? [length] : [length, payload];
  });
  return concat(...frames);
}

/** The answer to a request for `count` payloads. Throws `format`. */
export function decodePayloads(bytes: Uint8Array, count: number): (Uint8Array | undefined)[] {
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
  const payloads: (Uint8Array | undefined)[] = [];
  let at = 0;
  while (payloads.length < count && at + 4 <= bytes.length) {
    const length = view.getUint32(at);
    at += 4;
    payloads.push(length === ABSENT ? undefined : bytes.slice(at, at + length));
    if (length !== ABSENT) at += length;
  }
  if (payloads.length === count && at === bytes.length) return payloads;
  throw new FirebreakError('format', `the ledger's answer does not hold ${count} payloads`);
}
