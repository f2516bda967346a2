/** A trace that walks without end, in a thread of its own: the tracer reads on beside it, and it ends with who asked. */
import { request as httpRequest } from 'node:http';
import { expect, it, onTestFinished, vi } from 'vitest';
import { openWalkPool } from '../../../tracer/walk/walk-pool.js';
import type { WalkPool } from '../../../tracer/walk/walk-pool.js';
import { startWalkThread } from '../../../tracer/walk/walk-thread.js';
import type { Ending, StartWalkThread } from '../../../tracer/walk/walk-thread.js';
import { NOON, recordOf, reportOf } from '../deployment.js';
import { MemoryLog } from '../memory-log.js';
import { OFFICER, realApi, serve } from './stage.js';

const PEOPLE = 60;
const RECORDS = 150;
const EVENING = NOON + 8 * 3_600;
const NEWCOMER = PEOPLE + 1;

/** Everybody tells of everybody else, now and then in an afternoon: thousands of contacts. */
function crowd(): MemoryLog {
  const log = new MemoryLog();
  for (let one = 0; one < PEOPLE; one++) {
    const records = Array.from({ length: RECORDS }, (_, k) => {
      const other = (one + 1 + ((7 * k) % (PEOPLE - 1))) % PEOPLE;
      return recordOf(1 + other, NOON + 900 * (k % 24), 300);
    });
    log.append(reportOf({ tag: 1 + one, records, at: EVENING }));
  }
  return log;
}

const asked = {
  purpose: 'a city',
  request: { case: '1', direction: 'both', hops: 8, minSeconds: 300, latentSeconds: 0 },
};

/** A pool of one real thread, which walks whatever it is asked over and over until it is told to stop. */
function endlessPool(onDeath: (why: string) => void): {
  readonly pool: WalkPool;
  readonly walked: () => number;
  readonly relent: () => void;
} {
  let [walked, isEndless] = [0, true];
  const startThread: StartWalkThread = (onEnd) => {
    const thread = startWalkThread(onEnd);
    let ending: Ending | undefined;
    return {
      ask: async (view, question) => {
        ending = undefined;
        for (;;) {
          const walks = thread.ask(view, question);
          if (ending !== undefined) thread.stop(ending); // it came as the walk before was all but over
          await walks;
          walked += 1;
          if (!isEndless) return walks;
        }
      },
      show: (view) => thread.show(view),
      stop: (said) => {
        ending = said;
        thread.stop(said);
      },
      end: () => thread.end(),
    };
  };
  const pool = openWalkPool(1, { startThread, onDeath });
  onTestFinished(() => pool.close());
  return { pool, walked: () => walked, relent: () => void (isEndless = false) };
}

/** Asks, and waits for no answer. */
function askAndWait(url: string): { readonly leave: () => void } {
  const headers = { authorization: `Bearer ${OFFICER}`, 'content-type': 'application/json' };
  const sent = httpRequest(new URL('/v1/trace', url), { method: 'POST', headers });
  sent.on('error', () => undefined);
  sent.end(JSON.stringify(asked));
  onTestFinished(() => void sent.destroy());
  return { leave: () => void sent.destroy() };
}

it('a trace that does not end keeps nobody from reading on, and ends when whoever asked has gone', async () => {
  const onDeath = vi.fn();
  const { pool, walked, relent } = endlessPool(onDeath);
  const { api, log, tracer } = await realApi(crowd(), { walks: pool });
  const { url, post, get } = await serve(api, { limits: { questionMs: 600_000 } });
  const { contacts } = tracer.status();
  expect(contacts).toBeGreaterThan(4_000);
  const { leave } = askAndWait(url);
  await expect.poll(walked).toBeGreaterThan(0);

  const newest = log.append(
    reportOf({ tag: 1, seq: 1, records: [recordOf(NEWCOMER, EVENING, 600)], at: EVENING + 3_600 }),
  );
  expect((await tracer.catchUp()).checkpoint.size).toBe(newest + 1);
  expect(tracer.status().contacts).toBe(contacts + 1);
  const page = await post('/v1/contacts', { purpose: 'visit', request: { person: String(NEWCOMER) } });
  expect(await page.json()).toMatchObject({ contacts: [{ person: '1', ledger: [newest] }] });
  expect(pool.status()).toEqual({ threads: 1, walking: 1, waiting: 0 });

  const recorded = log.entries.length;
  leave();
  await expect.poll(() => pool.status().walking).toBe(0);
  await expect.poll(async () => (await get('/metrics')).text()).toContain('firebreak_questions_working 0\n');
  expect(log.entries.length).toBe(recorded); // nobody was answered, so nobody has looked

  relent();
  const next = await post('/v1/trace', { ...asked, request: { ...asked.request, direction: 'forward' } });
  const { result } = (await next.json()) as { result: { reached: { person: string }[] } };
  expect(result.reached.map(({ person }) => person)).toContain(String(NEWCOMER));
  expect(pool.status()).toEqual({ threads: 1, walking: 0, waiting: 0 });
  expect(onDeath).not.toHaveBeenCalled(); // the thread heeded what it was told
});
