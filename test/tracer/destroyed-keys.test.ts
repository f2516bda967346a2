/** Keys that are destroyed while a tracer reads leave its memory, however long it verifies before it opens anything. */
import { expect, test } from 'vitest';
import type { LedgerReader } from '../../protocol/tlog/ledger-reader.js';
import { dayOf } from '../../protocol/time.js';
import { keysOf, NOON } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const PAGES = 3;

test('they go while the first pass verifies the log', async () => {
  const log = new MemoryLog().fill(600);
  const dayKeys = keysOf([DAY - 1, DAY]);
  const held: boolean[] = [];
  const reader: LedgerReader = {
    ...log.reader(),
    entryBundle: (index, width) => {
      held.push(dayKeys.of(DAY - 1) !== undefined);
      if (held.length === 2) dayKeys.days = [DAY];
      return log.reader().entryBundle(index, width);
    },
  };
  const tracer = tracerOn(log, { reader, dayKeys, verifiedEvery: 1 });
  await tracer.catchUp();
  expect(held.slice(0, PAGES)).toEqual([true, true, false]);
  await tracer.close();
});
