/** What goes with retention goes from memory too: nobody who walked over it holds it, though nobody asks again. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setImmediate as turn } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { silentLog } from '../../protocol/log.js';
import { DAY_SECONDS, dayOf } from '../../protocol/time.js';
import { openContactStore } from '../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../tracer/contacts/task-thread.js';
import { openWalkPool } from '../../tracer/walk/walk-pool.js';
import { keysOf, NOON, recordOf, reportOf } from './deployment.js';
import { MemoryLog } from './memory-log.js';
import { tracerOn } from './tracer-on.js';

const DAY = dayOf(NOON);
const RETENTION_DAYS = 2;

let dir = '';
beforeAll(async () => void (dir = await mkdtemp(join(tmpdir(), 'expired-'))));
afterAll(() => rm(dir, { recursive: true }));

const nowhere = async () => ({
  ...{ index: 1, further: [], payload: new Uint8Array(), sharedSecret: new Uint8Array() },
});

async function openStage() {
  const log = new MemoryLog();
  const contacts = await openContactStore(join(dir, 'contacts'), {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 16, leastRows: 1, waitingTables: 0 },
  });
  const tracer = tracerOn(log, {
    dayKeys: keysOf([DAY, DAY + 1, DAY + 2, DAY + 3]),
    retentionDays: RETENTION_DAYS,
    access: { record: nowhere },
    walks: openWalkPool(1),
    contacts,
  });
  const readDay = async (day: number) => {
    const at = NOON + day * DAY_SECONDS;
    log.nowMs = (at + 7200) * 1000;
    log.append(reportOf({ tag: 1, seq: day + 1, at: at + 3600, records: [recordOf(2, at, 900)] }));
    await tracer.catchUp();
    await contacts.settled();
    if (contacts.wantsSave) await tracer.catchUp();
  };
  return { tracer, contacts, readDay };
}

/** Whatever nothing holds any more is gone after this. */
async function collectGarbage(): Promise<void> {
  setFlagsFromString('--expose-gc');
  for (let k = 0; k < 3; k++) {
    await turn();
    runInNewContext('gc()');
  }
}

test('a segment that is past retention is let go by the store and by threads that walked over it', async () => {
  const { tracer, contacts, readDay } = await openStage();
  for (const day of [0, 1]) await readDay(day);
  const firstSegment = () => {
    const [segment] = tracer.view().segments;
    return segment;
  };
  const held = new WeakRef(firstSegment() ?? {});
  const request = { case: '1', direction: 'forward', hops: 1, from: 0, to: NOON + 9 * DAY_SECONDS } as const;
  const look = { officer: 'o', purpose: 'p' };
  const { result } = await tracer.lookUp({ ...request, minSeconds: 0, latentSeconds: 0 }, look);
  expect(result.reachedCount).toBe(1);
  await collectGarbage();
  expect(held.deref()).toBeDefined();
  for (const day of [2, 3]) await readDay(day);
  expect(contacts.status().segments).toBeGreaterThan(0);
  await collectGarbage();
  expect(held.deref()).toBeUndefined();
  await tracer.close();
});
