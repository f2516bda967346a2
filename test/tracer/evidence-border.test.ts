/** Evidence of contacts that are close by seconds which have left retention since. */
import { describe, expect, it } from 'vitest';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { epochAt, gatewayEntry, keysOf, NOON, presenceReportOf, recordOf, reportOf } from './deployment.js';
import { check, look, recordingTracer, supportsOf } from './evidence-stage.js';
import { MemoryLog } from './memory-log.js';

const MIDNIGHT = (dayOf(NOON) + 1) * DAY_SECONDS;
const RETENTION_DAYS = 21;
/** A contact lasts three quarters of an hour at most, and all that ended in the 24 hours before count for it. */
const ALL_IS_KEPT = MIDNIGHT + DAY_SECONDS + 2700;

/** From when on, in seconds after midnight, two were near each other, for how long, and how old the ephemeral ID was by then. */
type Met = readonly [since: number, seconds: number, epochsOld?: 1];

/** Before and after midnight, and again a day later. */
const TWO_DAYS: readonly Met[] = [
  [-800, 700],
  [10, 600],
  [DAY_SECONDS, 900],
];

/** What two told of each other, when the day before midnight has left retention, and its keys are gone. */
async function stage(meetings = TWO_DAYS) {
  const log = new MemoryLog();
  const day = dayOf(NOON);
  log.nowMs = (MIDNIGHT + 2 * DAY_SECONDS) * 1000;
  meetings.forEach(([since, seconds, epochsOld = 0], seq) => {
    const start = MIDNIGHT + since;
    const record = recordOf(2, start, seconds, epochAt(start, -epochsOld));
    log.append(reportOf({ tag: 1, seq, records: [record], at: start + 3600 }));
  });
  const keys = keysOf([day - 1, day, day + 1, day + 2]);
  const tracer = await recordingTracer(log, { dayKeys: keys });
  keys.days = [day + 1, day + 2];
  log.passTo((MIDNIGHT + RETENTION_DAYS * DAY_SECONDS + 3600) * 1000);
  await tracer.catchUp();
  return tracer;
}

describe('evidence at the border of retention', () => {
  const request = { case: '1', direction: 'forward', hops: 1, minSeconds: 900, latentSeconds: 0 } as const;

  it('is refused where a contact is close by what has left, with when a window can begin', async () => {
    const tracer = await stage();
    const whole = { ...request, from: MIDNIGHT, to: MIDNIGHT + 2 * DAY_SECONDS };
    const { result } = await tracer.lookUp(whole, look);
    expect(result.reached).toMatchObject([{ exposedAt: MIDNIGHT + 610 }]);
    const begins = new Date(ALL_IS_KEPT * 1000).toISOString();
    await expect(tracer.lookUp(whole, look, {})).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`begin the window at ${begins} or later`) as string,
    });
  });

  it('is given of a window that begins then', async () => {
    const tracer = await stage([...TWO_DAYS.slice(0, 2), [DAY_SECONDS + 2700, 900]]);
    const later = { ...request, from: ALL_IS_KEPT, to: MIDNIGHT + 2 * DAY_SECONDS };
    const { evidence = new Uint8Array() } = await tracer.lookUp(later, look, {});
    expect(check(evidence).reached).toMatchObject([{ person: '2', exposedAt: later.from + 900 }]);
  });

  /** Over midnight, told in a report of the day that has left; just after, by an ephemeral ID of that day; and two of the new day. */
  const [OVER, JUST_AFTER, ...LATER] = [
    [-5, 600],
    [10, 600, 1],
    [1000, 600],
    [2000, 600],
  ] as const;

  it.each([[OVER], [JUST_AFTER]])('goes without %j, where others of the two will do', async (night: Met) => {
    const tracer = await stage([night, ...LATER]);
    const asked = { ...request, from: MIDNIGHT + 1900, to: MIDNIGHT + DAY_SECONDS };
    const { evidence = new Uint8Array() } = await tracer.lookUp(asked, look, {});
    const [row] = check(evidence).reached;
    expect(supportsOf(row?.path[0]).map(({ start }) => start)).toEqual([MIDNIGHT + 1000]);
  });

  it.each<[Met, string, number, number]>([
    [OVER, 'is', -10, 600],
    [OVER, 'takes', 900, 900],
    [JUST_AFTER, 'is', 0, 600],
    [JUST_AFTER, 'takes', 900, 900],
  ])('of %j is refused in the same words where a step %s one', async (night, _, since, minSeconds) => {
    const tracer = await stage([night, ...LATER]);
    const asked = { ...request, minSeconds, from: MIDNIGHT + since, to: MIDNIGHT + DAY_SECONDS };
    expect((await tracer.lookUp(asked, look)).result.reachedCount).toBe(1);
    const begins = new Date(ALL_IS_KEPT * 1000).toISOString();
    await expect(tracer.lookUp(asked, look, {})).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`begin the window at ${begins} or later`) as string,
    });
  });

  it('of presence is refused in such words where a stay was seen by an ephemeral ID of the day before', async () => {
    const log = new MemoryLog();
    log.nowMs = (MIDNIGHT + 2 * DAY_SECONDS) * 1000;
    log.append(gatewayEntry());
    const start = MIDNIGHT + 10;
    const seen = [1, 2].map((tag) => {
      const { peerEphId: ephId, ...record } = recordOf(tag, start, 600, epochAt(start, -1));
      return { ...record, ephId };
    });
    log.append(presenceReportOf(seen, MIDNIGHT + 3600));
    const day = dayOf(NOON);
    const keys = keysOf([day - 1, day, day + 1, day + 2]);
    const tracer = await recordingTracer(log, { dayKeys: keys });
    keys.days = [day + 1, day + 2];
    log.passTo((MIDNIGHT + RETENTION_DAYS * DAY_SECONDS + 3600) * 1000);
    await tracer.catchUp();
    const window = { from: MIDNIGHT, to: MIDNIGHT + DAY_SECONDS, minSeconds: 300 };
    const asked = { ...request, ...window, presence: true };
    expect((await tracer.lookUp(asked, look)).result.reachedCount).toBe(1);
    const begins = new Date(ALL_IS_KEPT * 1000).toISOString();
    await expect(tracer.lookUp(asked, look, {})).rejects.toMatchObject({
      code: 'not-found',
      message: expect.stringContaining(`begin the window at ${begins} or later`) as string,
    });
  });
});
