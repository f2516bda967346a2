/** Types 5–7 begin with a salt and are zero-padded to a multiple of 256, so that nobody guesses them (protocol.md §10). */
import { FirebreakError } from '../../protocol/errors.js';

const BLOCK = 256;

/** Throws `format`. */
export function requirePadded(payload: Uint8Array): void {
  if (payload.length > 0 && payload.length % BLOCK === 0) return;
  throw new FirebreakError('format', `a payload of this type is a multiple of ${BLOCK} bytes`);
}
