/** A thread that opens reports for opening-pool.ts, one request after the other. It holds no state but its settings. */
import { parentPort, workerData } from 'node:worker_threads';
import { wipeKeys } from '../../protocol/keys.js';
import { openLogged } from './open-report.js';
import type { OpeningSettings } from './open-report.js';
import { answerOf, reportsOf } from './opening-messages.js';
import type { OpenAnswer, OpenRequest } from './opening-messages.js';

const settings = workerData as OpeningSettings;

function answerTo(request: OpenRequest): OpenAnswer {
  const keysOf = new Map(request.keys.map((keys) => [keys.day, keys]));
  try {
    return answerOf(
      reportsOf(request).map((report) => openLogged(report, settings, (day) => keysOf.get(day))),
    );
  } finally {
    wipeKeys(request.keys);
  }
}

parentPort?.on('message', (request: OpenRequest) => {
  const answer = answerTo(request);
  const { rows, hashes, told, forged, waits, records } = answer;
  parentPort?.postMessage(
    answer,
    [rows, hashes, told, forged, waits, records].map(({ buffer }) => buffer as ArrayBuffer),
  );
});
parentPort?.postMessage('ready');
