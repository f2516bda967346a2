/** One thread that checks batches (check-worker.ts): batches in, verdicts out in the same order, or its end. */
import { answeringThread } from '../../host/answering-thread.js';
import type { AnsweringEvents, AnsweringThread } from '../../host/answering-thread.js';
import { startWorker } from '../../host/start-worker.js';
import type { CheckRequest, CheckSettings, CheckVerdict } from './check-messages.js';

/** A batch is at most 4 MiB and lies outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128 };

export type CheckThread = AnsweringThread<CheckRequest>;

export function startCheckThread(
  settings: CheckSettings,
  events: AnsweringEvents<CheckVerdict>,
  patienceMs?: number,
): CheckThread {
  const worker = startWorker(new URL('./check-worker.js', import.meta.url), {
    workerData: settings,
    resourceLimits: RESOURCE_LIMITS,
  });
  return answeringThread(worker, events, patienceMs);
}
