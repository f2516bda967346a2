/**
 * Traces in a thread of their own while this one takes contacts at a given rate, as a tracer does: each trace is of the
 * contacts as they stood when it was asked. First the same traces with nothing coming in.
 */
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { setTimeout as pause } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import type { Lived } from './ours-messages.js';
import { requestOf } from './question.js';
import type { Question } from './question.js';
import type { Walked, WalkAsked } from './ours-walker.js';

const CONTACTS_PER_SECOND = 100_000;
const TICK_MS = 10;
/** Traces before any is timed, and with nothing coming in. */
const WARM_UP = 100;
const IDLE = 1000;
/** Between the end of a trace and the next: an officer's desk, not a benchmark of the walks alone. */
const PAUSE_MS = 5;

export async function traceWhileTaking(
  store: ContactStore,
  files: readonly string[],
  questions: readonly Question[],
): Promise<Lived> {
  const walker = startWalker();
  let asked = 0;
  const next = async (): Promise<number> => {
    const question = questions[asked++ % questions.length];
    if (question === undefined) throw new Error('there are no questions');
    const startMs = performance.now();
    walker.postMessage({ view: store.view(), request: requestOf(question) } satisfies WalkAsked);
    const [{ failed }] = (await once(walker, 'message')) as [Walked];
    if (failed !== undefined) throw new Error(failed);
    const ms = performance.now() - startMs;
    await pause(PAUSE_MS);
    return ms;
  };
  try {
    for (let k = 0; k < WARM_UP; k++) await next();
    const idleMs: number[] = [];
    while (idleMs.length < IDLE) idleMs.push(await next());
    const liveMs: number[] = [];
    let isTaking = true;
    const taken = take(store, files).finally(() => (isTaking = false));
    while (isTaking) liveMs.push(await next());
    return { idleMs, liveMs, ...(await taken) };
  } finally {
    await walker.terminate();
  }
}

/** In ticks, each of what is due by then. */
async function take(
  store: ContactStore,
  files: readonly string[],
): Promise<Pick<Lived, 'contacts' | 'seconds'>> {
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;
  let contacts = 0;
  for (const file of files) {
    const columns = readContactColumns(new Uint8Array(await readFile(file)));
    for (let from = 0; from < columns.count;) {
      const due = Math.floor(elapsed() * CONTACTS_PER_SECOND) - contacts;
      const to = Math.min(columns.count, from + Math.max(0, due));
      if (to > from) await store.addBulk(slice(columns, from, to));
      contacts += to - from;
      from = to;
      await pause(TICK_MS);
    }
  }
  return { contacts, seconds: elapsed() };
}

function slice(columns: ContactColumns, from: number, to: number): ContactColumns {
  return {
    day: columns.day,
    count: to - from,
    lower: columns.lower.subarray(from, to),
    upper: columns.upper.subarray(from, to),
    start: columns.start.subarray(from, to),
    duration: columns.duration.subarray(from, to),
    immediate: columns.immediate.subarray(from, to),
    near: columns.near.subarray(from, to),
    medium: columns.medium.subarray(from, to),
    other: columns.other.subarray(from, to),
    attenuationDb: columns.attenuationDb.subarray(from, to),
    flags: columns.flags.subarray(from, to),
  };
}

/** The bench runs from its sources only. */
function startWalker(): Worker {
  const entry = new URL('./ours-walker.ts', import.meta.url).href;
  const tsx = import.meta.resolve('tsx/esm/api');
  const start = `import('${tsx}').then((tsx) => { tsx.register(); return import('${entry}'); })`;
  return new Worker(start, { eval: true, execArgv: [] });
}
