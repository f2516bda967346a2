/**
 * Checks batches one after the other on this thread, in the order they came, and gives the event loop its turn every
 * few milliseconds: a large batch of reports takes tens of them.
 */
import { setImmediate } from 'node:timers/promises';
import { checkItem, type AdmissionContext } from '../admission/item.js';
import { checkBatchHead } from '../admission/batch.js';
import type { CheckedBatch, CheckedItem, RefusedBatch } from '../sequence/checked-batch.js';
import type { BatchChecker } from './checker.js';

const TURN_MS = 5;

async function checkWhole(
  context: AdmissionContext,
  bytes: Uint8Array,
  from: Uint8Array | undefined,
): Promise<CheckedBatch | RefusedBatch> {
  const head = checkBatchHead(context, bytes, from);
  if ('refusal' in head) return head;
  const items: CheckedItem[] = [];
  let turnEndsMs = performance.now() + TURN_MS;
  for (const item of head.items) {
    items.push(checkItem(context, head.writer, item));
    if (performance.now() < turnEndsMs) continue;
    await setImmediate();
    turnEndsMs = performance.now() + TURN_MS;
  }
  return { writerId: head.writerId, seq: head.seq, batchHash: head.batchHash, items };
}

export function inlineChecker(context: AdmissionContext): BatchChecker {
  let last: Promise<unknown> = Promise.resolve();
  return {
    width: 1,
    failure: undefined,
    check(bytes, from) {
      const checked = last.then(() => checkWhole(context, bytes, from));
      last = checked.catch(() => undefined);
      return checked;
    },
    close: async () => {},
  };
}
