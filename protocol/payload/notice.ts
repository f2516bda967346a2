/**
 * Payload of a ledger entry of type 8, notices published (protocol.md §7, §10):
 *
 *     salt 16 || the signed notice as it was broadcast
 */
import { concat } from '../bytes.js';
import { FirebreakError } from '../errors.js';
import { requireSalt, SALT_BYTES } from './salt.js';

export interface NoticePayload {
  readonly salt: Uint8Array;
  /** Decoded and verified by its own codec. */
  readonly notice: Uint8Array;
}

/** Throws `format`. */
export function encodeNoticePayload({ salt, notice }: NoticePayload): Uint8Array {
  requireSalt(salt);
  if (notice.length === 0) throw new FirebreakError('format', 'a payload of notices holds a notice');
  return concat(salt, notice);
}

/** Throws `format`. */
export function decodeNoticePayload(bytes: Uint8Array): NoticePayload {
  if (bytes.length <= SALT_BYTES) throw new FirebreakError('format', 'a payload of notices holds a notice');
  return {
    salt: new Uint8Array(bytes.subarray(0, SALT_BYTES)),
    notice: new Uint8Array(bytes.subarray(SALT_BYTES)),
  };
}
