/** For tests that something is refused, and for which reason. */
import { FirebreakError, type ErrorCode } from '../../protocol/errors.js';

/**
 * The code a call throws; `undefined` when it does not throw. Any other error is thrown on. No stack is taken: of hundreds of
 * thousands of refusals, that would be most of the work.
 */
export function codeOf(call: () => unknown): ErrorCode | undefined {
  const frames = Error.stackTraceLimit;
  Error.stackTraceLimit = 0;
  try {
    call();
    return undefined;
  } catch (error) {
    if (error instanceof FirebreakError) return error.code;
    throw error;
  } finally {
    Error.stackTraceLimit = frames;
  }
}

/** `bytes` with one bit turned over. */
export function withFlippedBit(bytes: Uint8Array, bit: number): Uint8Array {
  const copy = new Uint8Array(bytes);
  copy[bit >> 3] = (copy[bit >> 3] ?? 0) ^ (1 << (bit & 7));
  return copy;
}
