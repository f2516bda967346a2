/** Keys may come between any two looks at where they lie: what waited for them is taken before what the log has after it. */
import { describe, expect, test } from 'vitest';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import type { DayKeySource } from '../../tracer/intake/day-key-source.js';
import { warningsOf } from '../../tracer/warnings.js';
import { dayKeys, keysOf, NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);

/** Holds the keys of the day from its k-th refresh on, and those of the days around it all along. */
function keysFromRefresh(k: number): DayKeySource {
  let refreshed = 0;
  return {
    of: (day) => (day !== DAY || refreshed >= k ? dayKeys(day) : undefined),
    refresh: async () => void (refreshed += 1),
  };
}

test('where the keys of the first come after the second was opened, the tracer says so, and one begun anew has the first stand', async () => {
  const log = new MemoryLog();
  log.nowMs = (NOON + 7200) * 1000;
  const keys = keysOf([DAY + 1]);
  log.append(reportOf({ tag: 1, seq: 1, records: [recordOf(2, NOON, 900)] }));
  log.passTo(log.nowMs + DAY_SECONDS * 1000);
  const nextNoon = NOON + DAY_SECONDS;
  log.append(reportOf({ tag: 1, seq: 1, at: nextNoon + 7200, records: [recordOf(3, nextNoon, 900)] }));
  const tracer = tracerOn(log, { dayKeys: keys });
  await tracer.catchUp();
  expect(warningsOf(tracer.status()).has('overtaken reports')).toBe(false);
  keys.days = [DAY, DAY + 1];
  await tracer.catchUp();
  expect(tracer.doubts()).toMatchObject([{ kind: 'clone', ledger: [2, 0] }]);
  expect(warningsOf(tracer.status()).has('overtaken reports')).toBe(true);
  const anew = tracerOn(log, { dayKeys: keys });
  await anew.catchUp();
  expect(anew.doubts()).toMatchObject([{ kind: 'clone', ledger: [0, 2] }]);
  expect(warningsOf(anew.status()).has('overtaken reports')).toBe(false);
  await Promise.all([tracer.close(), anew.close()]);
});

describe('of two reports of one tag and number, the first that was logged stands', () => {
  test.each([1, 2, 3, 4, 5, 6, 7, 8])('when keys come with refresh %i', async (k) => {
    const log = new MemoryLog();
    log.nowMs = (NOON + 7200) * 1000;
    const tracer = tracerOn(log, { dayKeys: keysFromRefresh(k) });
    for (const peer of [2, 3]) {
      log.append(reportOf({ tag: 1, seq: 1, records: [recordOf(peer, NOON, 900)] }));
      await tracer.catchUp();
    }
    for (let more = 0; more < k; more++) await tracer.catchUp();
    expect(tracer.doubts()).toMatchObject([{ kind: 'clone', ledger: [0, 1] }]);
    await tracer.close();
  });
});
