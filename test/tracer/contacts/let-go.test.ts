import { readdir } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, test, vi } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import type { StartTaskThread } from '../../../tracer/contacts/task-thread.js';
import { temporaryFolder } from './stage.js';

setFlagsFromString('--expose-gc');
const collectGarbage = runInNewContext('gc') as () => void;

const DAY = 20_000;
const met = (day: number, k: number) => ({
  reporter: asTagNumber(1),
  peer: asTagNumber(2 + k),
  epoch: asEpoch(96 * day + k),
  start: day * DAY_SECONDS + 900 * k,
  end: day * DAY_SECONDS + 900 * k + 600,
  bucketSeconds: [600, 0, 0, 0] as const,
  medianAttenuationDb: 40,
  partial: false,
  ledgerIndex: k,
});

test('a segment that expires and is committed away while it is compacted is no failure', async () => {
  const dir = await temporaryFolder();
  const said: string[] = [];
  const log = { ...silentLog, warn: (words: string) => void said.push(words) };
  let [reached, open] = [(): void => undefined, (): void => undefined];
  const compacts = new Promise<void>((resolve) => (reached = resolve));
  const gate = new Promise<void>((resolve) => (open = resolve));
  const inline = inlineTasks(NODE_STORE_DISK);
  const startThread: StartTaskThread = () => {
    const thread = inline();
    const run: typeof thread.run = async (task, onPeople) => {
      if (task.kind === 'compact') {
        reached();
        await gate;
      }
      return thread.run(task, onPeople);
    };
    return { ...thread, run };
  };
  const small = { tableRows: 16, leastRows: 2, waitingTables: 1 };
  const store = await openContactStore(dir, { log, startThread, ...small });
  for (const day of [DAY, DAY + 1, DAY + 4, DAY + 5])
    store.add(Array.from({ length: 12 }, (_, k) => met(day, k)));
  await store.settled();
  await store.save({ size: 1 });
  const settled = store.settled();
  await compacts;
  store.expireBefore((DAY + 1) * DAY_SECONDS);
  await store.save({ size: 2 });
  open();
  await settled;
  await store.settled();
  expect(said).toEqual([]);
  expect(store.status().contacts).toBe(36);
  await store.close();
});

test.each([true, false])(
  'a segment past retention leaves neither memory nor files behind; committed before: %s',
  async (isCommitted) => {
    const dir = await temporaryFolder();
    const startThread = inlineTasks(NODE_STORE_DISK);
    const small = { tableRows: 16, leastRows: 2, waitingTables: 1 };
    const store = await openContactStore(dir, { log: silentLog, startThread, ...small });
    const segments = async () => (await readdir(dir)).filter((name) => name.endsWith('.segment'));
    for (const day of [DAY, DAY + 2]) store.add(Array.from({ length: 12 }, (_, k) => met(day, k)));
    await store.settled();
    store.view();
    expect(await segments()).toEqual(['1.segment']);
    if (isCommitted) await store.save({ size: 1 });
    store.expireBefore((DAY + 4) * DAY_SECONDS);
    await store.settled();
    await store.save({ size: 2 });
    await vi.waitFor(async () => {
      collectGarbage();
      expect(await segments()).toEqual([]);
    }, 50_000);
    await store.close();
  },
);
