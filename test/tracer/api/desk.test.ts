/** How many questions at once, how many in line, for how long. */
import { setImmediate as turn } from 'node:timers/promises';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { FirebreakError } from '../../../protocol/errors.js';
import { Desk } from '../../../tracer/api/desk.js';
import type { DeskLimits } from '../../../tracer/api/desk.js';

const LIMITS: DeskLimits = { atOnce: 2, waiting: 2, sending: 1, questionMs: 20_000 };

interface Job {
  readonly asked: ReturnType<Desk['ask']>;
  readonly stop: AbortController;
  finish(error?: Error): void;
  signal: AbortSignal | undefined;
}

function ask(desk: Desk): Job {
  const stop = new AbortController();
  let settle: (error?: Error) => void = () => {};
  const work = new Promise<string>((resolve, reject) => {
    settle = (error) => (error ? reject(error) : resolve('done'));
  });
  const job: Job = {
    stop,
    signal: undefined,
    finish: (error) => settle(error),
    asked: desk.ask(stop, (signal) => ((job.signal = signal), work)),
  };
  job.asked.catch(() => {});
  work.catch(() => {}); // of a question that was never begun nobody asks
  return job;
}

const countsOf = ({ working, waiting, sending }: Desk) => [working, waiting, sending];

describe('the desk', () => {
  it('works on so many, lets so many wait in turn, and refuses the next with when to come back', async () => {
    const desk = new Desk(LIMITS);
    const jobs = [ask(desk), ask(desk), ask(desk), ask(desk)];
    await expect(ask(desk).asked).rejects.toMatchObject({ status: 429, code: 'full', retryAfterSeconds: 5 });
    await turn();
    expect(countsOf(desk)).toEqual([2, 2, 0]);
    expect(jobs.map(({ signal }) => signal !== undefined)).toEqual([true, true, false, false]);
    jobs[1]?.finish();
    const { answer, sent } = (await jobs[1]?.asked) ?? {};
    await turn();
    expect([answer, ...countsOf(desk)]).toEqual(['done', 2, 1, 1]);
    expect(jobs.map(({ signal }) => signal !== undefined)).toEqual([true, true, true, false]);
    sent?.();
    sent?.();
    expect(countsOf(desk)).toEqual([2, 1, 0]);
  });

  it('begins nothing new while too many answers are being sent', async () => {
    const desk = new Desk({ ...LIMITS, atOnce: 1 });
    const [first, second, third] = [ask(desk), ask(desk), ask(desk)];
    first.finish();
    const sending = [await first.asked];
    second.finish();
    sending.push(await second.asked);
    await turn();
    expect(countsOf(desk)).toEqual([0, 1, 2]);
    expect(third.signal).toBeUndefined();
    sending[0]?.sent();
    await turn();
    expect(third.signal).toBeDefined();
    expect(countsOf(desk)).toEqual([1, 0, 1]);
  });

  it('tells the work and whoever asked when the time is over, and holds the place until the work has ended', async () => {
    const desk = new Desk({ ...LIMITS, atOnce: 1, questionMs: 30 });
    const [first, second] = [ask(desk), ask(desk)];
    await expect(first.asked).rejects.toMatchObject({ status: 504, code: 'timeout' });
    await expect(second.asked).rejects.toMatchObject({ status: 503, code: 'full' });
    expect(first.signal?.aborted).toBe(true);
    expect(second.signal).toBeUndefined();
    expect(countsOf(desk)).toEqual([1, 0, 0]);
    first.finish();
    await turn();
    expect(countsOf(desk)).toEqual([0, 0, 0]);
  });

  it('forgets who has gone, in line and at work', async () => {
    const desk = new Desk({ ...LIMITS, atOnce: 1 });
    const [first, second, third] = [ask(desk), ask(desk), ask(desk)];
    second.stop.abort(new FirebreakError('closed', 'gone'));
    await expect(second.asked).rejects.toMatchObject({ message: 'gone' });
    first.stop.abort(new FirebreakError('closed', 'gone'));
    await expect(first.asked).rejects.toMatchObject({ message: 'gone' });
    first.finish(new Error('told to stop'));
    await turn();
    expect(third.signal?.aborted).toBe(false);
    expect(countsOf(desk)).toEqual([1, 0, 0]);
  });

  it('ends every question when it closes, and takes none after that', async () => {
    const desk = new Desk({ ...LIMITS, atOnce: 1 });
    const [first, second] = [ask(desk), ask(desk)];
    await turn();
    desk.close();
    await expect(first.asked).rejects.toMatchObject({ status: 503, code: 'closed' });
    await expect(second.asked).rejects.toMatchObject({ status: 503, code: 'closed' });
    await expect(ask(desk).asked).rejects.toMatchObject({ status: 503, code: 'closed' });
  });

  it('says what the work says of why it ended, where that is said at once', async () => {
    const desk = new Desk({ ...LIMITS, questionMs: 1 });
    const neverBegun = new FirebreakError('full', 'it did not begin in time');
    const asked = desk.ask(
      new AbortController(),
      (signal) => new Promise((_, reject) => signal.addEventListener('abort', () => reject(neverBegun))),
    );
    await expect(asked).rejects.toBe(neverBegun);
    await expect(desk.ask(new AbortController(), () => new Promise(() => {}))).rejects.toMatchObject({
      ...{ status: 504, code: 'timeout' },
    });
  });

  it('is within its limits after whatever happens, and empty in the end', async () => {
    const event = fc.tuple(fc.constantFrom('ask', 'finish', 'fail', 'gone', 'sent'), fc.nat(7));
    const property = fc.asyncProperty(fc.array(event, { maxLength: 40 }), async (events) => {
      const desk = new Desk(LIMITS);
      const jobs: Job[] = [];
      const happen = async (what: string, job: Job | undefined): Promise<void> => {
        if (what === 'ask') jobs.push(ask(desk));
        if (what === 'finish') job?.finish();
        if (what === 'fail') job?.finish(new Error('failed'));
        if (what === 'gone') job?.stop.abort(new FirebreakError('closed', 'gone'));
        if (what === 'sent') void job?.asked.then(({ sent }) => sent()).catch(() => {});
        await turn();
        const [working = 0, waiting = 0, sending = 0] = countsOf(desk);
        expect(Math.min(working, waiting, sending)).toBeGreaterThanOrEqual(0);
        expect(working).toBeLessThanOrEqual(LIMITS.atOnce);
        expect(waiting).toBeLessThanOrEqual(LIMITS.waiting);
        expect(working + sending).toBeLessThanOrEqual(LIMITS.atOnce + LIMITS.sending);
      };
      for (const [what, which] of events) await happen(what, jobs[which]);
      for (const job of [...jobs, ...jobs, ...jobs]) {
        await happen('finish', job);
        await happen('sent', job);
      }
      expect(countsOf(desk)).toEqual([0, 0, 0]);
    });
    await fc.assert(property, { numRuns: 60 });
  });
});
