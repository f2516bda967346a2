/** Segments that reach over the border of retention, and what is left of them when they were cut there. */
import { expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS, EPOCH_SECONDS } from '../../../protocol/time.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { temporaryFolder } from './stage.js';

const DAY = 20_000;
const MIDNIGHT = (DAY + 1) * DAY_SECONDS;

const met = (peer: number, start: number, end: number) => ({
  reporter: asTagNumber(1),
  peer: asTagNumber(peer),
  epoch: asEpoch(Math.floor(start / EPOCH_SECONDS)),
  ...{ start, end },
  bucketSeconds: [300, 0, 0, 0] as const,
  medianAttenuationDb: 40,
  partial: false,
  ledgerIndex: peer,
});

const openIn = (dir: string) =>
  openContactStore(dir, {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 16, leastRows: 2, waitingTables: 0 },
  });

test('what ended before the border is cut by the next life, if this one ends before it came to it', async () => {
  const dir = await temporaryFolder();
  const store = await openIn(dir);
  store.add([met(2, MIDNIGHT - 3000, MIDNIGHT - 2400), met(3, MIDNIGHT - 1500, MIDNIGHT + 300)]);
  store.add([met(4, MIDNIGHT + 600, MIDNIGHT + 900), met(5, MIDNIGHT + 172_000, MIDNIGHT + 172_400)]);
  await store.settled();
  await store.save({ size: 1 });
  const held = () =>
    next
      .view()
      .segments.map(({ entries }) => entries / 2)
      .sort();
  store.expireBefore(MIDNIGHT);
  await store.save({ size: 2 });
  await store.close();
  const next = await openIn(dir);
  expect(held()).toEqual([1, 1, 2]);
  await next.settled();
  expect(held()).toEqual([1, 1, 1]);
  await next.save({ size: 3 });
  await next.settled();
  expect(next.wantsSave).toBe(false);
  await next.close();
});

test('a segment that was cut at the border is not written again and again', async () => {
  const store = await openIn(await temporaryFolder());
  store.add([met(2, MIDNIGHT - 7200, MIDNIGHT - 6000), met(3, MIDNIGHT - 1500, MIDNIGHT + 300)]);
  store.add([met(4, MIDNIGHT - 1400, MIDNIGHT + 200), met(5, MIDNIGHT + 86_000, MIDNIGHT + 86_400)]);
  store.expireBefore(MIDNIGHT);
  const idsOfSaves: number[][] = [];
  for (let size = 1; size < 6; size++) {
    await store.settled();
    await store.save({ size });
    idsOfSaves.push(store.view().segments.map(({ id }) => id));
  }
  await store.settled();
  expect(idsOfSaves.at(-1)).toEqual(idsOfSaves.at(-2));
  expect(store.wantsSave).toBe(false);
  await store.close();
});
