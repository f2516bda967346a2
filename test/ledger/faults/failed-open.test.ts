import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Worker } from 'node:worker_threads';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { openLedger } from '../../../ledger/ledger.js';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
import { bucketKey } from '../../../ledger/store/store-keys.js';
import { openLedgerFolder } from '../../../ledger/readers/reader-level.js';
import { batchOf, ledgerDeps, logSigner, noticeItem, officer, temporaryFolder } from '../deployment.js';
import { requireSound } from './sound.js';

/** The real disk, which does not open what it is asked to open after `before` others. */
function failingDisk(before: number) {
  const open = new Set<number>();
  let asked = 0;
  const failing = {
    open,
    /** What it did not open. */
    failed: undefined as string | undefined,
    disk: {
      ...NODE_DISK,
      open: (path, flags, mode) => {
        asked += 1;
        if (asked === before + 1) {
          failing.failed = basename(path);
          throw Object.assign(new Error('EIO: i/o error, open'), { code: 'EIO' });
        }
        const fd = NODE_DISK.open(path, flags, mode);
        open.add(fd);
        return fd;
      },
      close: (fd) => {
        open.delete(fd);
        NODE_DISK.close(fd);
      },
    } satisfies Disk,
  };
  return failing;
}

test('a ledger that does not open leaves no file open, whichever of its files cannot be opened', async () => {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  await ledger.submit(batchOf(officer, 0, [noticeItem('a')]));
  await ledger.close();
  const failed: string[] = [];
  for (;;) {
    const failing = failingDisk(failed.length);
    const { disk, open } = failing;
    const opened = openLedger(ledgerDeps(dir, { storeTuning: { disk } }));
    await opened.then((again) => again.close()).catch(() => undefined); // some are opened only as it closes
    expect([failing.failed, open.size]).toEqual([failing.failed, 0]);
    if (failing.failed === undefined) break;
    failed.push(failing.failed);
  }
  expect(failed).toEqual(expect.arrayContaining(['head', 'journal-0', 'journal-1', 'kept']));
  await requireSound(dir);
});

/** The real disk, which cannot sync the names in `dir`, and finds that out while the payload index is being written. */
function lateFailure(dir: string) {
  const [folders, late] = [new Set<number>(), { underWay: 0, atClose: undefined as number | undefined }];
  let begin = (): void => undefined;
  const isWriting = new Promise<void>((resolve) => (begin = resolve));
  const disk: Disk = {
    ...NODE_DISK,
    open: (path, flags, mode) => {
      const fd = NODE_DISK.open(path, flags, mode);
      if (path === dir) folders.add(fd);
      else folders.delete(fd);
      return fd;
    },
    sync: async (fd) => {
      if (!folders.has(fd)) return NODE_DISK.sync(fd);
      await isWriting;
      throw Object.assign(new Error('EIO: i/o error, fsync'), { code: 'EIO' });
    },
    database: (location, options) => {
      const db = NODE_DISK.database(location, options);
      const [batch, close] = [db.batch.bind(db), db.close.bind(db)];
      db.batch = (async (rows: { readonly key: Uint8Array }[]) => {
        late.underWay += 1;
        if (rows.some(isBucketRow)) begin();
        await sleep(50);
        await batch(rows as never).finally(() => (late.underWay -= 1));
      }) as never;
      db.close = () => {
        late.atClose = late.underWay;
        return close();
      };
      return db;
    },
  };
  return { disk, late };
}

const isBucketRow = ({ key }: { readonly key: Uint8Array }): boolean => key[0] === bucketKey(0, 0)[0];

test('a ledger that fails late to open has stopped what it had begun to write, and says why it failed', async () => {
  const dir = await temporaryFolder();
  const ledger = await openLedger(ledgerDeps(dir));
  for (let seq = 0; seq < 3; seq++) {
    const items = Array.from({ length: 50 }, (_, i) => noticeItem(`${seq} ${i}`));
    await ledger.submit(batchOf(officer, seq, items));
    await ledger.reader().entryBundle(0, 1); // as if time went by: rows of their own
  }
  await ledger.close();
  const { disk, late } = lateFailure(dir);
  const storeTuning = { disk, indexTableRecords: 100 };
  await expect(openLedger(ledgerDeps(dir, { storeTuning }))).rejects.toThrow('EIO: i/o error, fsync');
  expect(late).toEqual({ underWay: 0, atClose: 0 });
  await requireSound(dir);
});

describe('a store that can neither be used nor closed', () => {
  const real = { ...NODE_DISK };
  const unclosable: Disk['database'] = (location, options) => {
    const db = real.database(location, options);
    const close = db.close.bind(db);
    db.close = async () => {
      await close();
      throw new Error('it does not close');
    };
    return db;
  };

  test('is told of by the ledger with why it cannot be used', async () => {
    const dir = await temporaryFolder();
    const policy = { logs: [], witnesses: [], groups: [], quorum: undefined };
    const keepPolicy = () => Promise.reject(new Error('the policy cannot be kept'));
    const storeTuning = { disk: { ...NODE_DISK, database: unclosable } };
    await expect(openLedger(ledgerDeps(dir, { policy, keepPolicy, storeTuning }))).rejects.toThrow(
      'the policy cannot be kept',
    );
  });

  test('is told of by the ledger with why it cannot be used, also when its threads cannot be ended', async () => {
    const dir = await temporaryFolder();
    const policy = { logs: [], witnesses: [], groups: [], quorum: undefined };
    const keepPolicy = () => Promise.reject(new Error('the policy cannot be kept'));
    const terminate = Reflect.get<Worker, 'terminate'>(Worker.prototype, 'terminate');
    const spy = vi.spyOn(Worker.prototype, 'terminate').mockImplementation(async function (this: Worker) {
      await terminate.call(this);
      throw new Error('it does not end');
    });
    onTestFinished(() => spy.mockRestore());
    const opening = openLedger(ledgerDeps(dir, { policy, keepPolicy, checkThreads: 1 }));
    await expect(opening).rejects.toThrow('the policy cannot be kept');
    expect(spy).toHaveBeenCalled();
  });

  test('is told of by a reader of the folder with why it cannot be used', async () => {
    const dir = await temporaryFolder();
    await (await openLedger(ledgerDeps(dir))).close();
    const spy = vi.spyOn(NODE_DISK, 'database').mockImplementation(unclosable);
    onTestFinished(() => spy.mockRestore());
    const identity = { origin: logSigner.name, logPublicKey: logSigner.publicKey };
    await expect(openLedgerFolder(dir, identity, { wasWitnessed: true })).rejects.toMatchObject({
      code: 'witness',
    });
  });
});
