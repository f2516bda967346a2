/** A tag that was copied is warned of for as long as reports within retention show it. */
import { describe, expect, test } from 'vitest';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { DoubtShelf } from '../../tracer/intake/doubts.js';
import { newTally } from '../../tracer/intake/intake-counts.js';
import { decodeIntakeState, encodeIntakeState } from '../../tracer/intake/intake-state.js';
import { warningsOf } from '../../tracer/warnings.js';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const clone = (first: number, day: number) => ({ kind: 'clone', ledger: [first, first + 1], day }) as const;
const forged = (ledger: number, day: number) =>
  ({ kind: 'forged-beacon', ledger: [ledger], record: 0, day }) as const;

test('the warning and the evidence go with the day; the count stays', async () => {
  const log = new MemoryLog();
  log.nowMs = (NOON + 7200) * 1000;
  const tracer = tracerOn(log);
  for (const peer of [2, 3]) log.append(reportOf({ tag: 1, records: [recordOf(peer, NOON, 900)] }));
  await tracer.catchUp();
  log.passTo(log.nowMs + 21 * DAY_SECONDS * 1000);
  await tracer.catchUp();
  expect(tracer.doubts()).toEqual([clone(0, DAY)]);
  expect(warningsOf(tracer.status()).has('clones')).toBe(true);
  log.passTo(log.nowMs + DAY_SECONDS * 1000);
  await tracer.catchUp();
  expect(tracer.doubts()).toEqual([]);
  expect(warningsOf(tracer.status()).has('clones')).toBe(false);
  expect(tracer.status().counts.clones).toBe(1);
  await tracer.close();
});

describe('a shelf of evidence', () => {
  test('has room for copied tags however many beacons are forged, and for more once old ones are gone', () => {
    const shelf = new DoubtShelf(2);
    for (const day of [5, 6, 7]) shelf.add(forged(day, day));
    expect(shelf.has('clone')).toBe(false);
    shelf.add(clone(8, 6));
    expect(shelf.list()).toEqual([forged(5, 5), forged(6, 6), clone(8, 6)]);
    shelf.forgetBefore(6);
    for (const day of [5, 7]) shelf.add(forged(day, day));
    expect(shelf.list()).toEqual([forged(6, 6), clone(8, 6), forged(7, 7)]);
    shelf.restore([clone(8, 6)]);
    expect([shelf.has('clone'), shelf.has('forged-beacon')]).toEqual([true, false]);
  });

  test('that was kept before days were noted is of the newest day there was', () => {
    const state = {
      ...{ reports: newTally(), presence: newTally(), missing: 0, pruned: 0, gatewayKeys: [] },
      ...{ border: { day: 9, logDay: 9 }, evidence: [clone(1, 4), forged(3, 5)], certificates: [] },
    };
    const bytes = encodeIntakeState(state);
    expect(decodeIntakeState(bytes).evidence).toEqual(state.evidence);
    const older = Buffer.from(bytes)
      .toString()
      .replaceAll(/,"day":[45]\}/g, '}');
    expect(decodeIntakeState(Buffer.from(older)).evidence).toEqual([clone(1, 9), forged(3, 9)]);
  });
});
