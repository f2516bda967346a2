/**
 * The whole of a request, as an officer's program waits for it: HTTP, the token, reading on in the ledger up to its newest checkpoint
 * (`Pulse.readyFor`), the walk, the look recorded, the answer as JSON. Asked alone, and while reports keep streaming into the ledger.
 */
import { waitForRunning } from '../../cli/files/run-files.js';
import { folderAt } from '../../cli/folder/folder.js';
import { runningTracer } from '../../cli/parts/asked-tracer.js';
import { silentLog } from '../../protocol/log.js';
import { askHealth } from '../../tracer/api/client.js';
import { megabytes, quantile, seconds, spread, tell } from './figures.js';
import { ROUNDS, WARM_UP } from './ours-recorded.js';
import { requestOf } from './question.js';
import type { Question } from './question.js';
import { startRole } from './role.js';
import { startStream, STREAM } from './stream.js';

const TRACER_WAIT_MS = 120_000;
const ANSWERED = 200;
/** Somebody who was in no contact. */
const UNKNOWN = 404;

interface Api {
  readonly url: string;
  readonly token: string;
}

/** `dir`: of a deployment whose ledger runs and whose tracer does not. */
export async function benchOverHttp(
  dir: string,
  questions: readonly Question[],
  contacts: number,
): Promise<void> {
  const [first] = questions;
  if (first === undefined) throw new Error('there are no questions');
  const startMs = performance.now();
  const tracer = startRole('tracer', dir);
  try {
    const api = await apiOf(dir);
    await ask(api, first);
    const pageCache = 'warm'; // of the store; of the ledger there is hardly anything
    const measure = 'firebreak tracer run to first answer over HTTP';
    tell({ measure, contacts, pageCache, seconds: seconds(startMs) });
    await alone(api, questions, contacts);
    await whileReportsCome(dir, api, questions, contacts);
  } finally {
    await tracer.end();
  }
}

async function apiOf(dir: string): Promise<Api> {
  const folder = folderAt(dir);
  const { signal } = new AbortController();
  await waitForRunning({ folder, log: silentLog, signal }, 'tracer', TRACER_WAIT_MS);
  const running = await runningTracer(folder);
  if (running === undefined) throw new Error('the tracer is gone');
  const [url, token] = running;
  return { url, token };
}

async function alone(api: Api, questions: readonly Question[], contacts: number): Promise<void> {
  const samples: number[][] = questions.map(() => []);
  for (let round = -WARM_UP; round < ROUNDS; round++) await askRound(api, questions, samples, round >= 0);
  const { residentMB } = await figuresOf(api);
  tell({ measure: 'request over HTTP', contacts, ...spread(samples), residentMB });
}

/** As many rounds as there are while reports come; of the first, reports and code that opens them are new. */
async function whileReportsCome(
  dir: string,
  api: Api,
  questions: readonly Question[],
  contacts: number,
): Promise<void> {
  const samples: number[][] = questions.map(() => []);
  const stream = await startStream(dir);
  try {
    const before = await figuresOf(api);
    let isOver = false;
    const streamed = stream.run().finally(() => (isOver = true));
    for (let round = 0; !isOver; round++) await askRound(api, questions, samples, round > 0, () => isOver);
    const { reports, seconds: took } = await streamed;
    await askRound(api, questions, samples, false); // reads on to the end
    const after = await figuresOf(api);
    const contactsTaken = after.contacts - before.contacts;
    if (contactsTaken !== reports * STREAM.records)
      throw new Error(`of ${reports} reports came ${contactsTaken} contacts`);
    tell({
      measure: 'request over HTTP while reports come',
      contacts,
      ...spread(samples.filter((ofCase) => ofCase.length > 0)),
      maxMs: quantile(samples.flat(), 1),
      requests: samples.flat().length,
      reportsPerSecond: Math.round(reports / took),
      recordsPerReport: STREAM.records,
      ...{ reports, contactsTaken, residentMB: after.residentMB },
    });
  } finally {
    await stream.end();
  }
}

async function figuresOf({ url, token }: Api) {
  const { contacts, memoryBytes } = await askHealth(url, token);
  return { contacts, residentMB: megabytes(memoryBytes.resident) };
}

/** One question after the other; milliseconds by case into `samples`, of those that were answered before it was over. */
async function askRound(
  api: Api,
  questions: readonly Question[],
  samples: readonly number[][],
  isTimed: boolean,
  isOver = () => false,
): Promise<void> {
  for (const [k, question] of questions.entries()) {
    const startMs = performance.now();
    await ask(api, question);
    const ms = performance.now() - startMs;
    if (isOver()) return;
    if (isTimed) samples[k]?.push(ms);
  }
}

/** Until the answer is in hand, parsed. */
async function ask({ url, token }: Api, question: Question): Promise<void> {
  const body = { officer: 'bench', purpose: 'how long a request takes', request: requestOf(question) };
  const response = await fetch(`${url}/v1/trace`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: JSON.stringify(body),
  });
  const answer: unknown = await response.json();
  if (response.status !== ANSWERED && response.status !== UNKNOWN)
    throw new Error(`the tracer refused: ${JSON.stringify(answer)}`);
}
