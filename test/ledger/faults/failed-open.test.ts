import { expect, test } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import { batchOf, ledgerDeps, noticeItem, officer, temporaryFolder } from '../deployment.js';
import { FaultyDisk } from './faulty-disk.js';
import { requireSound } from './sound.js';

test('a ledger that does not open leaves no file open, whichever of its files cannot be opened', async () => {
  const dir = await temporaryFolder();
  const deps = (disk: FaultyDisk) => ledgerDeps(dir, { storeTuning: { disk } });
  const healthy = new FaultyDisk();
  const ledger = await openLedger(deps(healthy));
  await ledger.submit(batchOf(officer, 0, [noticeItem('a')]));
  await ledger.close();
  healthy.calls.length = 0;
  await (await openLedger(deps(healthy))).close();
  const opens = healthy.calls.flatMap((name, call) => (name.startsWith('open ') ? [{ name, call }] : []));
  const names = ['open head', 'open journal-0', 'open journal-1', 'open kept'];
  expect(opens.map(({ name }) => name)).toEqual(expect.arrayContaining(names));

  for (const { name, call } of opens) {
    const disk = new FaultyDisk({ call, way: 'not done' });
    const opened = openLedger(deps(disk)).then((again) => again.close());
    await opened.catch(() => undefined); // behind the journal, some are opened only to be synced as it closes
    expect([name, disk.calls[call], await disk.endProcess()]).toEqual([name, name, 0]);
  }
  await requireSound(dir);
});
