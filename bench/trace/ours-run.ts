/** The process that is Firebreak in the trace bench: its contact store and its walks, and nobody else's memory. */
import { silentLog } from '../../protocol/log.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { segmentBytes } from '../../tracer/contacts/segment.js';
import { openSegmentStore } from '../../tracer/contacts/segment-store.js';
import { traceResult } from '../../tracer/looks/trace.js';
import type { TraceResult } from '../../tracer/looks/trace-result.js';
import { walkTrace } from '../../tracer/walk/trace-walks.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import { WalkWorkspace } from '../../tracer/walk/workspace.js';
import { askCluster, askWhileTaking, callOff, entriesOf } from '../cluster-city/ours-clusters.js';
import { traceWhileTaking } from './ours-live.js';
import { askAndRecord } from './ours-recorded.js';
import type { Answers, Asked, Built, FromOurs, Opened, ToOurs } from './ours-messages.js';
import { requestOf, unlessUnknown } from './question.js';
import type { Question } from './question.js';

const THREADS = 2;

let store: ContactStore | undefined;
/** Starts a thread when it is first asked. */
const walks = openWalkPool(1);
const space = new WalkWorkspace();

function opened(): ContactStore {
  if (store === undefined) throw new Error('the store is not open');
  return store;
}

const residentBytes = (): number => process.memoryUsage.rss();

/** From files of contact columns to a store that is on disk and can be asked. */
async function build(dir: string, files: readonly string[]): Promise<Built> {
  const startMs = performance.now();
  const made = await openSegmentStore(dir);
  await made.importColumns(files, { threads: THREADS });
  await made.close();
  const seconds = (performance.now() - startMs) / 1000;
  return { seconds, peakBytes: process.resourceUsage().maxRSS * 1024, residentBytes: residentBytes() };
}

async function open(dir: string): Promise<Opened> {
  const startMs = performance.now();
  store = await openContactStore(dir, { log: silentLog, walksUnderWay: walks.underWay });
  const seconds = (performance.now() - startMs) / 1000;
  const { segments } = store.view();
  return {
    seconds,
    residentBytes: residentBytes(),
    segmentBytes: segments.reduce((sum, segment) => sum + segmentBytes(segment), 0),
    entries: segments.reduce((sum, { entries }) => sum + entries, 0),
  };
}

async function timed(question: Question, list: number) {
  const view = opened().view();
  const request = { ...requestOf(question), list };
  const before = performance.now();
  const walks = await unlessUnknown(async () => walkTrace(view, request, space));
  const between = performance.now();
  const result = walks && traceResult(view.people, request, walks);
  const after = performance.now();
  return { walkMs: between - before, traceMs: after - before, result };
}

async function ask(question: Question, list: number): Promise<Asked> {
  const { result, ...times } = await timed(question, list);
  const reached = result?.reachedCount ?? 0;
  return { ...times, reached, rows: rowsOf(result), residentBytes: residentBytes() };
}

async function askAll(questions: readonly Question[], list: number): Promise<Answers['askAll']> {
  const times: { readonly walkMs: number; readonly traceMs: number }[] = [];
  for (const question of questions) {
    const { walkMs, traceMs } = await timed(question, list);
    times.push({ walkMs, traceMs });
  }
  return times;
}

const rowsOf = (result: TraceResult | undefined): Asked['rows'] =>
  (result?.reached ?? []).map(({ person, hop, exposedAt, earliestAt, score, path }) => [
    Number(person),
    hop,
    exposedAt,
    earliestAt,
    score,
    path.map(({ from, to, start, end, nearSeconds, mutual }) => [
      Number(from),
      Number(to),
      start,
      end,
      nearSeconds,
      Number(mutual),
    ]),
  ]);

async function answerTo(message: ToOurs): Promise<Answers[keyof Answers]> {
  switch (message.kind) {
    case 'build':
      return build(message.dir, message.files);
    case 'open':
      return open(message.dir);
    case 'memory':
      return { residentBytes: residentBytes() };
    case 'ask':
      return ask(message.question, message.list);
    case 'askAll':
      return askAll(message.questions, message.list);
    case 'recorded':
      return askAndRecord(message.dir, message.questions);
    case 'live':
      return traceWhileTaking(opened(), walks, message.files, message.questions);
    case 'cluster':
      return askCluster(opened(), walks, message.request);
    case 'clusterCalledOff':
      return callOff(opened(), walks, message.request, message.afterMs);
    case 'clusterLive':
      return askWhileTaking(opened(), walks, message.request, message.files);
    case 'entriesOf':
      return entriesOf(opened(), message.walks);
  }
}

process.on('message', (message: ToOurs) => {
  void answerTo(message)
    .then((answer): FromOurs => ({ answer }))
    .catch((error: unknown): FromOurs => ({
      failed: error instanceof Error ? (error.stack ?? '') : String(error),
    }))
    .then((said) => process.send?.(said));
});
