/** One thread that opens reports (opening-worker.ts), as its owner sees it: requests in, answers out in the same order, or its end. */
import { endWorker, startWorker } from '../../radio/start-worker.js';
import type { OpeningSettings } from './open-report.js';
import type { OpenAnswer, OpenRequest } from './opening-messages.js';

/** A thread that takes longer to start, or for one request, is ended: neither takes a second. */
const PATIENCE_MS = 30_000;
/** A request is at most a large report, and what is found in it lies outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128 };

export interface OpeningThreadEvents {
  readonly onReady: () => void;
  /** To the request that was posted first of those without an answer. */
  readonly onAnswer: (answer: OpenAnswer) => void;
  /** Once, and nothing after it. */
  readonly onEnd: (why: string) => void;
}

export interface OpeningThread {
  /** The buffer of the reports goes over to the thread. */
  post(request: OpenRequest): void;
  /** Resolves when the thread is gone; `onEnd` is called too. */
  end(): Promise<void>;
}

export type StartOpeningThread = (settings: OpeningSettings, events: OpeningThreadEvents) => OpeningThread;

/** Keeps the process alive only while it has something to do. */
export function startOpeningThread(
  settings: OpeningSettings,
  { onReady, onAnswer, onEnd }: OpeningThreadEvents,
  patienceMs = PATIENCE_MS,
): OpeningThread {
  const worker = startWorker(new URL('./opening-worker.js', import.meta.url), {
    workerData: copyOf(settings),
    resourceLimits: RESOURCE_LIMITS,
  });
  let why = 'it ended';
  let underWay = 1; // its start
  const timer = setTimeout(() => {
    if (underWay === 0) return;
    why = `it took longer than ${patienceMs / 1000} s`;
    void worker.terminate();
  }, patienceMs).unref();
  const expect = (more: 1 | -1): void => {
    underWay += more;
    timer.refresh();
    if (underWay > 0) worker.ref();
    else worker.unref();
  };
  worker.on('message', (message: OpenAnswer | 'ready') => {
    expect(-1);
    if (message === 'ready') onReady();
    else onAnswer(message);
  });
  worker.on('error', (error) => (why = error.message));
  worker.on('exit', () => {
    clearTimeout(timer);
    onEnd(why);
  });
  return {
    post(request) {
      expect(1);
      worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    },
    end: () => endWorker(worker),
  };
}

/** Of what a thread is to know and no more: whoever has these settings may have others with them. */
const copyOf = ({ issuerPublicKey, retentionDays, sampleHoldSeconds }: OpeningSettings): OpeningSettings => ({
  issuerPublicKey: new Uint8Array(issuerPublicKey),
  retentionDays,
  sampleHoldSeconds,
});
