/** Starting and ending a thread of our own, from the sources as from the build. */
import { Worker } from 'node:worker_threads';
import type { WorkerOptions } from 'node:worker_threads';

/**
 * A thread that runs the module at `entry`, named as it is called when built: `new URL('./x-worker.js', import.meta.url)`.
 * From the sources (development, tests) a thread needs what makes Node read TypeScript; built, it needs nothing.
 */
export function startWorker(
  entry: URL,
  options: Pick<WorkerOptions, 'workerData' | 'resourceLimits'> = {},
): Worker {
  if (!import.meta.url.endsWith('.ts')) return new Worker(entry, options);
  const tsx = import.meta.resolve('tsx/esm/api');
  const start = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry.href}'); })`;
  return new Worker(start, { ...options, eval: true, execArgv: [] });
}

const A_DAY_MS = 86_400_000;

/**
 * Resolves when the thread is gone. A word it said before that may make its owner think that nobody waits for it (`unref`), and a
 * process that nothing keeps alive ends without a word to who waits here: so this keeps it alive.
 */
export async function endWorker(worker: Worker): Promise<void> {
  const alive = setInterval(() => undefined, A_DAY_MS);
  try {
    await worker.terminate();
  } finally {
    clearInterval(alive);
  }
}
