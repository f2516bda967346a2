/** Payloads of types 3–10 begin with 16 random bytes, so that nobody guesses them from their hash (protocol.md §10). */
import { FirebreakError } from '../errors.js';

export const SALT_BYTES = 16;

/** Throws `format`. */
export function requireSalt(salt: Uint8Array): void {
  if (salt.length !== SALT_BYTES) throw new FirebreakError('format', `a salt has ${SALT_BYTES} bytes`);
}
