/** A batch must be signed by the writer it names (protocol.md §9). */
import { verifyBatch, type DecodedBatch } from '../../protocol/batch.js';
import type { Refusal } from '../../protocol/errors.js';
import type { Writer } from './writer.js';

export function batchSignatureRule(decoded: DecodedBatch, writer: Writer): Refusal | undefined {
  return verifyBatch(decoded, writer.publicKey) ? undefined : 'batch-signature';
}
