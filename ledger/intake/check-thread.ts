/** One thread that checks batches (check-worker.ts), as its owner sees it: batches in, verdicts out in the same order, or its end. */
import { endWorker, startWorker } from '../../radio/start-worker.js';
import type { CheckRequest, CheckSettings, CheckVerdict } from './check-messages.js';

/** A thread that takes longer to start, or for one batch, is ended: neither takes a second. */
const PATIENCE_MS = 30_000;
/** A batch is at most 4 MiB and lies outside of the heap. */
const RESOURCE_LIMITS = { maxOldGenerationSizeMb: 128 };

export interface CheckThreadEvents {
  readonly onReady: () => void;
  /** On the batch that was posted first of those without a verdict. */
  readonly onVerdict: (verdict: CheckVerdict) => void;
  /** Once, and nothing after it. */
  readonly onEnd: (why: string) => void;
}

export interface CheckThread {
  /** The buffer of the batch goes over to the thread. */
  post(request: CheckRequest): void;
  /** Resolves when the thread is gone; `onEnd` is called too. */
  end(): Promise<void>;
}

export function startCheckThread(
  settings: CheckSettings,
  events: CheckThreadEvents,
  patienceMs = PATIENCE_MS,
): CheckThread {
  const worker = startWorker(new URL('./check-worker.js', import.meta.url), {
    workerData: settings,
    resourceLimits: RESOURCE_LIMITS,
  });
  let why = 'it ended';
  let underWay = 1; // its start
  const timer = setTimeout(() => {
    if (underWay === 0) return;
    why = `it took longer than ${patienceMs / 1000} s`;
    void worker.terminate();
  }, patienceMs).unref();
  /** The thread keeps the process alive only while somebody waits for it. */
  const expect = (more: 1 | -1): void => {
    underWay += more;
    timer.refresh();
    if (underWay > 0) worker.ref();
    else worker.unref();
  };
  worker.on('message', (message: CheckVerdict | 'ready') => {
    expect(-1);
    if (message === 'ready') events.onReady();
    else events.onVerdict(message);
  });
  worker.on('error', (error) => (why = error.message));
  worker.on('exit', () => {
    clearTimeout(timer);
    events.onEnd(why);
  });
  return {
    post(request) {
      expect(1);
      worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
    },
    end: () => endWorker(worker),
  };
}
