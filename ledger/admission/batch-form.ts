/** A batch must be one: decodable, inside its bounds, with a sequence number the store can keep (48 bits). */
import { decodeBatch, type DecodedBatch } from '../../protocol/mqtt/batch.js';
import { FirebreakError } from '../../protocol/errors.js';

const MAX_SEQ = 2 ** 48 - 1;

/** Throws `format` or `size`. */
export function readBatch(bytes: Uint8Array): DecodedBatch {
  const decoded = decodeBatch(bytes);
  if (decoded.batch.seq <= MAX_SEQ) return decoded;
  throw new FirebreakError('format', 'the sequence number of a batch is at most 2^48 − 1');
}
