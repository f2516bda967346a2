/** The walk, the look and the words of a recorded request (recorded.ts), asked of a tracer in the process that is Firebreak. */
import { openFolderClock } from '../../cli/days/folder-clock.js';
import { readConfig } from '../../cli/folder/config.js';
import { signerFrom } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { openTogether } from '../../cli/parts/context.js';
import type { OnClose, PartContext } from '../../cli/parts/context.js';
import { openFolderReader } from '../../cli/parts/ledger.js';
import { startTracer } from '../../cli/parts/tracer.js';
import { startWriter } from '../../cli/parts/writer.js';
import { waitForRunning } from '../../cli/files/run-files.js';
import { silentLog } from '../../protocol/log.js';
import type { TraceRequest } from '../../tracer/looks/trace-result.js';
import type { Tracer } from '../../tracer/tracer.js';
import { walkTrace } from '../../tracer/walk/trace-walks.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import type { Recorded } from './ours-messages.js';
import { requestOf, unlessUnknown } from './question.js';
import type { Question } from './question.js';

export const WARM_UP = 5;
export const ROUNDS = 9;
/** As many walk in `firebreak tracer run`. */
const WALKING_THREADS = 1;
const LEDGER_WAIT_MS = 30_000;
const LOOK = { officer: 'bench', purpose: 'how long a recorded request takes' };

/** `dir`: of a deployment whose ledger runs, or starts. */
export async function askAndRecord(dir: string, questions: readonly Question[]): Promise<Recorded> {
  const folder = folderAt(dir);
  const config = await readConfig(folder);
  const { signal } = new AbortController();
  const context = { folder, config, clock: await openFolderClock(folder), log: silentLog, signal };
  const opened = await openTogether(silentLog, async (onClose) => ({
    tracer: await openTracer(context, onClose),
  }));
  try {
    return await askAll(opened.tracer, questions);
  } finally {
    await opened.close();
  }
}

/** As `firebreak tracer run` has it, but for threads that open reports, which none come for, and for HTTP. */
async function openTracer(context: PartContext, onClose: OnClose): Promise<Tracer> {
  const { folder, config } = context;
  const { mqtt: mqttUrl } = await waitForRunning(context, 'ledger', LEDGER_WAIT_MS);
  const signer = await signerFrom(folder.tracer.writerKey);
  const writer = await startWriter(context, { signer, spoolDir: folder.tracer.spool, mqttUrl });
  onClose(writer.close);
  const reader = await openFolderReader(folder, config);
  onClose(() => reader.close());
  const walks = openWalkPool(WALKING_THREADS);
  const tracer = await startTracer({ ...context, reader, signer, courier: writer.courier, walks });
  onClose(() => tracer.close());
  return tracer;
}

/** In each round all are walked, then all are requested: no request finds in the caches what was walked just before (race.ts). */
async function askAll(tracer: Tracer, questions: readonly Question[]): Promise<Recorded> {
  const space = new WalkWorkspace();
  const walkMs: number[][] = questions.map(() => []);
  const requestMs: number[][] = questions.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) {
    const walked = await timesOf(questions, async (request) => walkTrace(tracer.view(), request, space));
    const requested = await timesOf(questions, (request) => tracer.lookUp(request, LOOK));
    if (round < 0) continue;
    for (const [k, ms] of walked.entries()) walkMs[k]?.push(ms);
    for (const [k, ms] of requested.entries()) requestMs[k]?.push(ms);
  }
  return { walkMs, requestMs };
}

/** Milliseconds, one question after the other. */
async function timesOf(
  questions: readonly Question[],
  ask: (request: TraceRequest) => Promise<unknown>,
): Promise<number[]> {
  const times: number[] = [];
  for (const question of questions) {
    const request = requestOf(question);
    const startMs = performance.now();
    await unlessUnknown(() => ask(request));
    times.push(performance.now() - startMs);
  }
  return times;
}
