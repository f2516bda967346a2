/** A thread that says a word as soon as it runs, for start-worker.test.ts. */
import { parentPort } from 'node:worker_threads';

parentPort?.on('message', () => undefined);
parentPort?.postMessage('ready');
