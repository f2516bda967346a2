/** A segment of which nothing is left but what began before the border of retention and ended behind it. */
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

test('a segment that was cut at the border is not written again and again', async () => {
  const store = await openContactStore(await temporaryFolder(), {
    log: silentLog,
    startThread: inlineTasks(NODE_STORE_DISK),
    ...{ tableRows: 16, leastRows: 2, waitingTables: 0 },
  });
  store.add([met(2, MIDNIGHT - 7200, MIDNIGHT - 6000), met(3, MIDNIGHT - 1500, MIDNIGHT + 300)]);
  store.add([met(4, MIDNIGHT - 1400, MIDNIGHT + 200), met(5, MIDNIGHT + 86_000, MIDNIGHT + 86_400)]);
  store.expireBefore(MIDNIGHT);
  const idsOfSaves: number[][] = [];
  for (let size = 1; size < 6; size++) {
    await store.settled();
    await store.save({ size, note: '' });
    idsOfSaves.push(store.view().segments.map(({ id }) => id));
  }
  await store.settled();
  expect(idsOfSaves.at(-1)).toEqual(idsOfSaves.at(-2));
  expect(store.wantsSave).toBe(false);
  await store.close();
});
