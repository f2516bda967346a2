/**
 * A thread that does the long work of a store (seal-worker.ts), as its owner sees it; and the same work done on
 * this thread.
 */
import { endWorker, startWorker } from '../../host/start-worker.js';
import { FirebreakError } from '../../protocol/errors.js';
import type { ErrorCode } from '../../protocol/errors.js';
import type { StoreDisk } from './store-disk.js';
import { runTask } from './store-task.js';
import type { StoreTask, TaskResults, Tasks } from './store-task.js';

export type TaskReport =
  | { readonly kind: 'progress'; readonly people: number }
  | { readonly kind: 'done'; readonly result: TaskResults[keyof TaskResults] }
  | { readonly kind: 'threw'; readonly code: ErrorCode | undefined; readonly message: string };

/** What a thread is started with. */
export interface TaskThreadSettings {
  /** How many traces are being walked, in shared memory (walk-pool.ts). */
  readonly walksUnderWay: Int32Array | undefined;
}

export interface TaskThread {
  /** One at a time. Rejects with what the task threw, or when the thread ends first. */
  run<K extends keyof TaskResults>(
    task: Tasks[K],
    onPeople?: (people: number) => void,
  ): Promise<TaskResults[K]>;
  /** Resolves when the thread is gone, and with it all memory that only it had. */
  end(): Promise<void>;
}

export type StartTaskThread = () => TaskThread;

/**
 * Starts a thread, which stands aside while there are walks under way. It keeps the process alive only while it
 * has something to do.
 */
export function startTaskThread(walksUnderWay?: Int32Array): TaskThread {
  const workerData: TaskThreadSettings = { walksUnderWay };
  const worker = startWorker(new URL('./seal-worker.js', import.meta.url), { workerData });
  worker.unref();
  let failure: Error | undefined;
  let onReport: ((report: TaskReport) => void) | undefined;
  const fail = (error: Error): void => {
    failure ??= error;
    onReport?.({ kind: 'threw', code: 'closed', message: failure.message });
  };
  worker.on('message', (report: TaskReport) => onReport?.(report));
  worker.on('error', fail);
  worker.on('exit', () => fail(new Error('the thread that seals contacts ended')));
  const settled = (task: StoreTask, onPeople?: (people: number) => void) =>
    new Promise<TaskResults[keyof TaskResults]>((resolve, reject) => {
      onReport = (report) => {
        if (report.kind === 'progress') return onPeople?.(report.people);
        onReport = undefined;
        worker.unref();
        if (report.kind === 'done') resolve(report.result);
        else reject(thrown(report.code, report.message));
      };
      if (failure !== undefined) return fail(failure);
      worker.ref();
      worker.postMessage(task);
    });
  return {
    run: <K extends keyof TaskResults>(task: Tasks[K], onPeople?: (people: number) => void) =>
      settled(task, onPeople) as Promise<TaskResults[K]>,
    end: () => endWorker(worker),
  };
}

const thrown = (code: ErrorCode | undefined, message: string): Error =>
  code === undefined ? new Error(message) : new FirebreakError(code, message);

interface RunOptions {
  readonly signal?: AbortSignal | undefined;
  readonly onPeople?: (people: number) => void;
}

/**
 * Does a task in a thread of its own, which is gone when this settles; the signal ends it. Throws what the task
 * threw, or the signal's reason.
 */
export async function runAlone<K extends keyof TaskResults>(
  startThread: StartTaskThread,
  task: Tasks[K],
  { signal, onPeople }: RunOptions,
): Promise<TaskResults[K]> {
  signal?.throwIfAborted();
  const thread = startThread();
  const abort = (): void => void thread.end();
  signal?.addEventListener('abort', abort, { once: true });
  try {
    return await thread.run<K>(task, onPeople);
  } catch (error) {
    signal?.throwIfAborted();
    throw error;
  } finally {
    signal?.removeEventListener('abort', abort);
    await thread.end();
  }
}

/** For a store so small that starting a thread would take longer than the work. */
export const inlineTasks =
  (disk: StoreDisk): StartTaskThread =>
  () => ({
    run: <K extends keyof TaskResults>(task: Tasks[K], onPeople?: (people: number) => void) =>
      runTask(disk, task, { onPeople }) as Promise<TaskResults[K]>,
    end: async () => undefined,
  });
