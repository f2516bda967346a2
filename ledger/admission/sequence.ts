/** One batch for each (writer, seq): the same again gets the same answer, another one is refused (protocol.md §9). */
import { equalBytes } from '../../protocol/bytes.js';

export function sequenceRule(
  earlier: Uint8Array | undefined,
  batchHash: Uint8Array,
): 'new' | 'again' | 'sequence' {
  if (earlier === undefined) return 'new';
  return equalBytes(earlier, batchHash) ? 'again' : 'sequence';
}
