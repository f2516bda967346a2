/** The rules a batch must pass as a whole, in order; then each of its items is judged alone (item.ts). */
import { batchHash, verifyBatch, type BatchItem, type DecodedBatch } from '../../protocol/mqtt/batch.js';
import { equalBytes } from '../../protocol/bytes.js';
import { FirebreakError, type Refusal } from '../../protocol/errors.js';
import type { RefusedBatch } from '../sequence/checked-batch.js';
import { readBatch } from './batch-form.js';
import type { AdmissionContext } from './item.js';
import type { Writer } from './writer.js';

/** A batch whose writer is known and signed it; its items are still to be judged. */
export interface BatchHead {
  readonly writerId: Uint8Array;
  readonly seq: number;
  readonly batchHash: Uint8Array;
  readonly writer: Writer;
  readonly items: readonly BatchItem[];
}

/** The refusal of a batch that cannot be read: only who sent it is known. Rethrows when not even that is. */
function unreadable(error: unknown, bytes: Uint8Array, from: Uint8Array | undefined): RefusedBatch {
  const isForm = error instanceof FirebreakError && (error.code === 'format' || error.code === 'size');
  if (!isForm || from === undefined) throw error;
  const refusal: Refusal = error.code === 'size' ? 'size' : 'format';
  return { writerId: from, seq: 0, batchHash: batchHash(bytes), refusal, itemCount: 1 };
}

/** A batch turned away unread because too much is waiting. Throws as {@link checkBatchHead}. */
export function busyBatch(bytes: Uint8Array, from: Uint8Array | undefined): RefusedBatch {
  try {
    const { writerId, seq, items } = readBatch(bytes).batch;
    return {
      writerId: from ?? writerId,
      seq,
      batchHash: batchHash(bytes),
      refusal: 'busy',
      itemCount: items.length,
    };
  } catch (error) {
    return unreadable(error, bytes, from);
  }
}

/**
 * The writer of a batch that it signed (protocol.md §9), or why the batch is refused as a whole: it came from
 * another writer than it names (the answer goes to `from`), nobody vouched for its writer, or the signature
 * is not the writer's.
 */
function judgeHead(
  decoded: DecodedBatch,
  writer: Writer | undefined,
  from: Uint8Array | undefined,
): Writer | Refusal {
  if (from !== undefined && !equalBytes(from, decoded.batch.writerId)) return 'batch-signature';
  if (writer === undefined) return 'certificate';
  return verifyBatch(decoded, writer.publicKey) ? writer : 'batch-signature';
}

/** Form, writer and signature of a batch. Throws `format` or `size` when there is no writer to send a refusal to. */
export function checkBatchHead(
  { directory }: AdmissionContext,
  bytes: Uint8Array,
  from: Uint8Array | undefined,
): BatchHead | RefusedBatch {
  let decoded: DecodedBatch;
  try {
    decoded = readBatch(bytes);
  } catch (error) {
    return unreadable(error, bytes, from);
  }
  const { writerId, seq, items } = decoded.batch;
  const hash = batchHash(bytes);
  const judged = judgeHead(decoded, directory.find(writerId), from);
  return typeof judged === 'string'
    ? { writerId: from ?? writerId, seq, batchHash: hash, refusal: judged, itemCount: items.length }
    : { writerId, seq, batchHash: hash, writer: judged, items };
}
