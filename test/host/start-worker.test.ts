import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { expect, onTestFinished, test } from 'vitest';
import { endWorker, startWorker } from '../../host/start-worker.js';

test('a thread is started from the sources, with what it is given', async () => {
  const worker = startWorker(new URL('./talkative-worker.js', import.meta.url));
  onTestFinished(() => endWorker(worker));
  expect(await once(worker, 'message')).toEqual(['ready']);
});

test('a process lives until the threads it ends are gone, whatever these say meanwhile', async () => {
  const script = fileURLToPath(new URL('./end-in-process.ts', import.meta.url));
  const { stdout } = await promisify(execFile)(process.execPath, ['--import', 'tsx', script]);
  expect(stdout).toBe('all ended');
});
