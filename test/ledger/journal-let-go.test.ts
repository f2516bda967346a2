import { cp } from 'node:fs/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { expect, onTestFinished, test } from 'vitest';
import { openLedger } from '../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from './deployment.js';

setFlagsFromString('--expose-gc');
const collect = runInNewContext('gc') as () => void;

test('a store that replayed its journal keeps none of it in memory', async () => {
  const [dir, copy] = [await temporaryFolder(), await temporaryFolder()];
  const first = await openLedger(ledgerDeps(dir));
  await first.submit(batchOf(officer, 1, [noticeItem('a')]));
  await cp(dir, copy, { recursive: true });
  await first.close();
  const read: WeakRef<ArrayBufferLike>[] = [];
  const note: Disk['read'] = (fd, bytes, ...where) => {
    if (bytes.length >= 2 ** 20) read.push(new WeakRef(bytes.buffer));
    return NODE_DISK.read(fd, bytes, ...where);
  };
  const again = await openLedger(ledgerDeps(copy, { storeTuning: { disk: { ...NODE_DISK, read: note } } }));
  onTestFinished(() => again.close());
  expect(again.status().size).toBe(1);
  await expect
    .poll(() => (collect(), read.map((one) => one.deref()?.byteLength)), { timeout: 5000 })
    .toEqual([undefined]);
});
