/** One thread that opens reports (opening-worker.ts): requests in, answers out in the same order, or its end. */
import { answeringThread } from '../../host/answering-thread.js';
import type { AnsweringEvents, AnsweringThread } from '../../host/answering-thread.js';
import { startWorker } from '../../host/start-worker.js';
import type { OpeningSettings } from './open-report.js';
import type { OpenAnswer, OpenRequest } from './opening-messages.js';

/** A request is at most a large report, and what is found in it lies outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128 };

export type OpeningThread = AnsweringThread<OpenRequest>;

export type StartOpeningThread = (
  settings: OpeningSettings,
  events: AnsweringEvents<OpenAnswer>,
) => OpeningThread;

export function startOpeningThread(
  settings: OpeningSettings,
  events: AnsweringEvents<OpenAnswer>,
  patienceMs?: number,
): OpeningThread {
  const worker = startWorker(new URL('./opening-worker.js', import.meta.url), {
    workerData: copyOf(settings),
    resourceLimits: RESOURCE_LIMITS,
  });
  return answeringThread(worker, events, patienceMs);
}

/** Of what a thread is to know and no more: whoever has these settings may have others with them. */
const copyOf = ({ issuerPublicKey, retentionDays, sampleHoldSeconds }: OpeningSettings): OpeningSettings => ({
  issuerPublicKey: new Uint8Array(issuerPublicKey),
  retentionDays,
  sampleHoldSeconds,
});
