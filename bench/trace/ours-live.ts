/**
 * Traces in a thread of their own while this one takes contacts at a given rate, as a tracer does: each trace is of the
 * contacts as they stood when it was asked, and this thread puts it into words. Before and after, the same traces with nothing coming
 * in: what came makes the answers longer, so that only both together are of a store as large as the one in between. Nothing is timed
 * before both have been under way for a while: a tracer has run for days.
 */
import { readFile } from 'node:fs/promises';
import { setImmediate as breathe, setTimeout as pause } from 'node:timers/promises';
import { readContactColumns } from '../../protocol/contact-columns.js';
import type { ContactColumns } from '../../protocol/contact-columns.js';
import type { ContactStore } from '../../tracer/contacts/contact-store.js';
import { traceResult } from '../../tracer/looks/trace.js';
import type { WalkPool } from '../../tracer/walk/walk-pool.js';
import type { Lived } from './ours-messages.js';
import { requestOf, unlessUnknown } from './question.js';
import type { Question } from './question.js';

const CONTACTS_PER_SECOND = 100_000;
/** Contacts that are taken before others have their turn: two full reports. */
const MOST_AT_ONCE = 256;
/** Traces before any is timed, and contacts that come in while nothing is timed yet: at most this share of the first day. */
const WARM_UP = 100;
const WARM_UP_CONTACTS = 100_000;
const WARM_UP_SHARE = 0.2;
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
    await during(take(store, [slice(first, 0, warmUp)]));
    for (let k = 0; k < WARM_UP; k++) await next();
    const beforeMs = await idle();
    const { ms: liveMs, ...taken } = await during(take(store, [slice(first, warmUp, first.count), ...rest]));
    return { beforeMs, liveMs, afterMs: await idle(), ...taken };
  } finally {
    await pool.close();
  }
}

export type Taken = Pick<Lived, 'contacts' | 'seconds'>;

export const columnsOf = (files: readonly string[]): Promise<ContactColumns[]> =>
  Promise.all(files.map(async (file) => readContactColumns(new Uint8Array(await readFile(file)))));

/** As they fall due. */
export async function take(store: ContactStore, days: readonly ContactColumns[]): Promise<Taken> {
  const startMs = performance.now();
  const elapsed = (): number => (performance.now() - startMs) / 1000;
  let contacts = 0;
  for (const columns of days) {
    for (let from = 0; from < columns.count;) {
      const due = Math.floor(elapsed() * CONTACTS_PER_SECOND) - contacts;
      const to = Math.min(columns.count, from + Math.min(due, MOST_AT_ONCE));
      if (to > from) await store.addBulk(slice(columns, from, to));
      contacts += to - from;
      from = to;
      if (due < MOST_AT_ONCE) await pause(1);
      else await breathe();
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
