/**
 * Refresh (protocol.md §7): what a gateway hands to a tag in slices.
 *
 *     request (5)  what u8 (1 credential pack, 2 notices) || offset u32          written
 *     slice        total u32 || up to 508 bytes from the offset                  read
 *
 * A total of 0 means: nothing of that kind here.
 */
import { ByteReader, ByteWriter } from '../bytes.js';
import { FirebreakError } from '../errors.js';

export const MAX_SLICE_BYTES = 508;
/** A notice of 32,768 tokens: nothing handed out is longer. */
export const MAX_TOTAL_BYTES = 16 + 8 * 32_768 + 64;
const KINDS = ['pack', 'notices'] as const;
export type RefreshKind = (typeof KINDS)[number];

export interface RefreshRequest {
  readonly what: RefreshKind;
  readonly offset: number;
}

export interface RefreshSlice {
  readonly totalBytes: number;
  readonly bytes: Uint8Array;
}

export function encodeRefreshRequest(request: RefreshRequest): Uint8Array {
  return new ByteWriter(5)
    .u8(KINDS.indexOf(request.what) + 1)
    .u32(request.offset)
    .finish();
}

/** Throws `format`. */
export function decodeRefreshRequest(bytes: Uint8Array): RefreshRequest {
  const reader = new ByteReader(bytes, 'refresh request');
  const what = KINDS[reader.u8() - 1];
  const offset = reader.u32();
  reader.end();
  if (what === undefined) throw new FirebreakError('format', 'a refresh of an unknown kind');
  return { what, offset };
}

/** The slice of `whole` from `offset`; without bytes when the offset lies past the end. */
export function encodeRefreshSlice(whole: Uint8Array, offset: number): Uint8Array {
  const bytes = whole.subarray(offset, offset + MAX_SLICE_BYTES);
  return new ByteWriter(4 + bytes.length).u32(whole.length).bytes(bytes).finish();
}

/** Throws `format`, also for a total that nothing handed out can have. */
export function decodeRefreshSlice(bytes: Uint8Array): RefreshSlice {
  const reader = new ByteReader(bytes, 'refresh slice');
  const totalBytes = reader.u32();
  if (totalBytes > MAX_TOTAL_BYTES || reader.remaining > Math.min(MAX_SLICE_BYTES, totalBytes)) {
    throw new FirebreakError('format', 'a refresh slice is longer than it can be');
  }
  return { totalBytes, bytes: reader.take(reader.remaining) };
}
