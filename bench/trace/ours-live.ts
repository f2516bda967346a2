/**
 * Traces in a thread of their own while this one takes contacts (taking.ts), as in a tracer: each trace is of the contacts as they
 * stood when it was asked, and this thread puts it into words. Before and after, the same traces with nothing coming in: what came
 * makes the answers longer, so that only both together are of a store as large as the one in between. Nothing is timed before both
 * have been under way for a while: a tracer has run for days.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { memoryContactStore } from '../../tracer/contacts/open-contact-store.js';
import { traceResult } from '../../tracer/looks/trace.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import type { Lived } from './ours-messages.js';
import { requestOf, unlessUnknown } from './question.js';
import type { Question } from './question.js';
import { columnsOf, slice, take } from './taking.js';
import type { Taken } from './taking.js';

/** Traces before any is timed, and contacts that come in while nothing is timed yet: at most this share of the first day. */
const WARM_UP = 100;
const WARM_UP_CONTACTS = 100_000;
const WARM_UP_SHARE = 0.2;
/** Rows of a table in a store that takes them first: a tracer fills one a day, and its second has all code compiled anew. */
const WARM_UP_ROWS = 2 ** 15;
/** Traces with nothing coming in, each time. */
const IDLE = 1000;
/** Between the end of a trace and the next: an officer's desk, not a benchmark of the walks alone. */
const PAUSE_MS = 5;

export async function traceWhileTaking(
  store: ContactStore,
  pool: WalkPool,
  files: readonly string[],
  questions: readonly Question[],
): Promise<Lived> {
  let asked = 0;
  const next = async (): Promise<number> => {
    const question = questions[asked++ % questions.length];
    if (question === undefined) throw new Error('there are no questions');
    const request = requestOf(question);
    const startMs = performance.now();
    const view = store.view();
    const walks = await unlessUnknown(() => pool.walk(view, { request }));
    if (walks !== undefined) traceResult(view.people, request, walks);
    const ms = performance.now() - startMs;
    await pause(PAUSE_MS);
    return ms;
  };
  const idle = async (): Promise<number[]> => {
    const ms: number[] = [];
    while (ms.length < IDLE) ms.push(await next());
    return ms;
  };
  const during = async (taking: Promise<Taken>): Promise<{ ms: number[] } & Taken> => {
    let isTaking = true;
    const taken = taking.finally(() => (isTaking = false));
    const ms: number[] = [];
    while (isTaking) ms.push(await next());
    return { ms, ...(await taken) };
  };
  try {
    const [first, ...rest] = await columnsOf(files);
    if (first === undefined) throw new Error('there are no contacts');
    const warmUp = Math.min(WARM_UP_CONTACTS, Math.floor(WARM_UP_SHARE * first.count));
    const early = [slice(first, 0, warmUp)];
    await during(take(memoryContactStore(WARM_UP_ROWS), early));
    await during(take(store, early));
    for (let k = 0; k < WARM_UP; k++) await next();
    const beforeMs = await idle();
    const { ms: liveMs, ...taken } = await during(take(store, [slice(first, warmUp, first.count), ...rest]));
    return { beforeMs, liveMs, afterMs: await idle(), ...taken };
  } finally {
    await pool.close();
  }
}
