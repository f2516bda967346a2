import { expect, test } from 'vitest';
import { asEpoch, asTagNumber } from '../../../protocol/brands.js';
import { silentLog } from '../../../protocol/log.js';
import { DAY_SECONDS } from '../../../protocol/time.js';
import { openContactStore } from '../../../tracer/contacts/open-contact-store.js';
import { NODE_STORE_DISK } from '../../../tracer/contacts/store-disk.js';
import { inlineTasks } from '../../../tracer/contacts/task-thread.js';
import { temporaryFolder } from './stage.js';

const met = (k: number) => ({
  reporter: asTagNumber(1),
  peer: asTagNumber(2 + k),
  epoch: asEpoch(96 * 20_000 + k),
  start: 20_000 * DAY_SECONDS + 900 * k,
  end: 20_000 * DAY_SECONDS + 900 * k + 600,
  bucketSeconds: [600, 0, 0, 0] as const,
  medianAttenuationDb: 40,
  partial: false,
  ledgerIndex: k,
});

test.each(['after it', 'before it'])(
  'whoever waits for room in a store that is closed %s is told so',
  async (when) => {
    const startThread = inlineTasks(NODE_STORE_DISK);
    const small = { tableRows: 4, leastRows: 1, waitingTables: 0 };
    const store = await openContactStore(await temporaryFolder(), { log: silentLog, startThread, ...small });
    store.add(Array.from({ length: 40 }, (_, k) => met(k)));
    const isTold = (waiting: Promise<void>) => expect(waiting).rejects.toMatchObject({ code: 'closed' });
    const told = when === 'after it' ? isTold(store.ready()) : undefined;
    await store.close();
    await (told ?? isTold(store.ready()));
  },
);
