/** A thread that checks batches for checker-threads.ts, one after the other. It holds no state but its settings. */
import { parentPort, workerData } from 'node:worker_threads';
import { asError, FirebreakError } from '../../protocol/errors.js';
import { checkBatchHead } from '../admission/batch.js';
import { checkItem } from '../admission/item.js';
import { verdictOf, type CheckRequest, type CheckSettings, type CheckVerdict } from './check-messages.js';

function verdictOn(settings: CheckSettings, { bytes, from, writer }: CheckRequest): CheckVerdict {
  const context = { ...settings, directory: { find: () => writer } };
  const head = checkBatchHead(context, bytes, from);
  if ('refusal' in head) return { kind: 'refused', batch: head };
  const { writerId, seq, batchHash } = head;
  const items = head.items.map((item) => checkItem(context, head.writer, item));
  return verdictOf({ writerId, seq, batchHash, items }, bytes);
}

function verdictOrError(settings: CheckSettings, request: CheckRequest): CheckVerdict {
  try {
    return verdictOn(settings, request);
  } catch (error) {
    const code = error instanceof FirebreakError ? error.code : undefined;
    return { kind: 'threw', code, message: asError(error).message };
  }
}

const settings = workerData as CheckSettings;
parentPort?.on('message', (request: CheckRequest) => {
  const verdict = verdictOrError(settings, request);
  const own = verdict.kind === 'checked' ? [verdict.rows.buffer, verdict.hashes.buffer] : [];
  parentPort?.postMessage(verdict, own as ArrayBuffer[]);
});
parentPort?.postMessage('ready');
