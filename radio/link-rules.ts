/** What every air says of a connection in the same words. */
import { FirebreakError } from '../protocol/errors.js';

/** Throws `size` for a value that one packet does not hold. */
export function checkSize(value: Uint8Array, payloadBytes: number): void {
  if (value.length <= payloadBytes) return;
  throw new FirebreakError('size', `${value.length} bytes do not fit into one packet of ${payloadBytes}`);
}

export function closedError(): FirebreakError {
  return new FirebreakError('closed', 'the connection is closed');
}
