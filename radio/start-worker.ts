/** Starting a thread of our own, from the sources as from the build. */
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
