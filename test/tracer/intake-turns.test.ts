/** A tracer that has many reports to open leaves others on its thread their turns. */
import { expect, test } from 'vitest';
import { NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

/** One page of the log, of some 100 ms. */
const REPORTS = 240;

test('a page of reports is opened a few at a time, and all of it is taken', async () => {
  const log = new MemoryLog();
  for (let tag = 1; tag <= REPORTS; tag++)
    log.append(reportOf({ tag, records: [recordOf(1000 + tag, NOON, 600)] }));
  const tracer = tracerOn(log);
  const opened = [0];
  let isDone = false;
  const look = (): void => {
    opened.push(tracer.status().counts.opened);
    if (!isDone) setImmediate(look);
  };
  look();
  await tracer.catchUp();
  isDone = true;
  opened.push(tracer.status().counts.opened);
  expect(tracer.status()).toMatchObject({ contacts: REPORTS, counts: { opened: REPORTS } });
  const atOnce = opened.slice(1).map((count, k) => count - (opened[k] ?? 0));
  expect(Math.max(...atOnce)).toBeLessThan(REPORTS / 2);
  await tracer.close();
});
