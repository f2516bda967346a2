/**
 * Types 5 to 7 begin with a salt and are zero-padded, so that nobody guesses them from hash or length
 * (protocol.md §10).
 */
import { FirebreakError } from '../../protocol/errors.js';

const BLOCK = 256;
const LEAST_LOOK = 512;

/** Types 5 and 7: to a multiple of 256. Throws `format`. */
export function requirePadded(payload: Uint8Array): void {
  if (payload.length > 0 && payload.length % BLOCK === 0) return;
  throw new FirebreakError('format', `a payload of this type is a multiple of ${BLOCK} bytes`);
}

/** Type 6: to a power of two. Throws `format`. */
export function requirePowerOfTwo({ length }: Uint8Array): void {
  if (length >= LEAST_LOOK && Number.isInteger(Math.log2(length))) return;
  throw new FirebreakError(
    'format',
    `a payload of this type is a power of two of bytes, ${LEAST_LOOK} at least`,
  );
}
