/** A thread that answers what it is asked, one thing after the other, as its owner sees it: requests in, answers out, or its end. */
import type { Worker } from 'node:worker_threads';
import { endWorker } from './start-worker.js';

/** A thread that takes longer to start, or for one request, is ended: neither takes a second. */
const PATIENCE_MS = 30_000;

export interface AnsweringEvents<Answer> {
  /** Once, when the thread has posted `'ready'`. */
  readonly onReady: () => void;
  /** To the request that was posted first of those without an answer. */
  readonly onAnswer: (answer: Answer) => void;
  /** Once, and nothing after it. */
  readonly onEnd: (why: string) => void;
}

export interface AnsweringThread<Request> {
  /** The buffer of the bytes goes over to the thread. */
  post(request: Request): void;
  /** Resolves when the thread is gone; `onEnd` is called too. */
  end(): Promise<void>;
}

/** Takes over a thread that was just started. It keeps the process alive only while somebody waits for it. */
export function answeringThread<Request extends { readonly bytes: Uint8Array }, Answer>(
  worker: Worker,
  { onReady, onAnswer, onEnd }: AnsweringEvents<Answer>,
  patienceMs = PATIENCE_MS,
): AnsweringThread<Request> {
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
  worker.on('message', (message: Answer | 'ready') => {
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
      worker.postMessage(request, [request.bytes.buffer as ArrayBuffer]);
      expect(1); // what could not be posted has no answer
    },
    end: () => endWorker(worker),
  };
}
