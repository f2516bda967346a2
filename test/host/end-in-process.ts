/** A process of its own that ends threads while they start, for start-worker.test.ts. */
import { endWorker, startWorker } from '../../host/start-worker.js';

for (const waitMs of [0, 50, 100, 150, 200, 250, 300, 400]) {
  const worker = startWorker(new URL('./talkative-worker.js', import.meta.url));
  worker.on('message', () => worker.unref());
  const until = performance.now() + waitMs;
  while (performance.now() < until); // so that its word waits to be heard when it is ended
  await endWorker(worker);
}
process.stdout.write('all ended');
