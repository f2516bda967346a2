import { cp, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
import { JOURNAL_FILES } from '../../../ledger/store/folder.js';
import { joinTurns, scanFrames } from '../../../ledger/store/journal-frames.js';
import { openLedger } from '../../../ledger/ledger.js';
import {
  batchOf,
  destroyedItem,
  issuer,
  ledgerDeps,
  noticeItem,
  officer,
  pruningItem,
  temporaryFolder,
} from '../deployment.js';
import { DAY, grown } from '../pruning-stage.js';
import { holdableDisk, watchedLogs } from './holdable-disk.js';
import { slowDatabase } from './slow-disk.js';
import { requireSound } from './sound.js';
import { storedState } from './stored-state.js';

const batchOfSeq = (seq: number) => batchOf(officer, seq, [noticeItem(`${seq}`)]);

const scannedIn = (dir: string) =>
  Promise.all(JOURNAL_FILES.map(async (name) => scanFrames(await readFile(join(dir, name)))));

/** The database's logs cannot be synced, once. */
function failingOnce(): { readonly disk: Disk; failNext: boolean } {
  const { open, isLog } = watchedLogs();
  const failing = {
    failNext: false,
    disk: {
      ...NODE_DISK,
      open,
      sync: async (fd: number) => {
        const fails = failing.failNext && isLog(fd);
        if (fails) failing.failNext = false;
        else return NODE_DISK.sync(fd);
        throw Object.assign(new Error('EIO: i/o error, fdatasync'), { code: 'EIO' });
      },
    },
  };
  return failing;
}

/** Syncs of the database's logs; one can be held, which goes on a while after the ledger began to close. */
function holdingOnce() {
  const { open, isLog } = watchedLogs();
  let closing = (): void => undefined;
  const isClosing = new Promise<void>((resolve) => (closing = resolve));
  const holding = {
    holdNext: false,
    isHeld: false,
    /** Syncs that ended while it was held. */
    overtook: 0,
    /** Whether it was still held when the database was closed. */
    heldAtClose: undefined as boolean | undefined,
    closing: () => closing(),
    disk: {
      ...NODE_DISK,
      open,
      sync: async (fd: number) => {
        if (!isLog(fd)) return NODE_DISK.sync(fd);
        if (!holding.holdNext) {
          await NODE_DISK.sync(fd);
          holding.overtook += Number(holding.isHeld);
          return;
        }
        [holding.holdNext, holding.isHeld] = [false, true];
        await isClosing;
        await sleep(200);
        await NODE_DISK.sync(fd);
        holding.isHeld = false;
      },
      database: (location, options) => {
        const db = NODE_DISK.database(location, options);
        const close = db.close.bind(db);
        db.close = async () => {
          holding.heldAtClose = holding.isHeld;
          await close();
        };
        return db;
      },
    } satisfies Disk,
  };
  return holding;
}

describe('the journal turns', () => {
  test('while small commits wait to be joined, and a ledger cut off after that has each entry once', async () => {
    const dir = await temporaryFolder();
    const tuning = { disk: slowDatabase({ batch: 120 }), journalTurnBytes: 40_000 };
    const ledger = await openLedger(ledgerDeps(dir, { storeTuning: tuning }));
    for (let seq = 0; seq < 155; seq++) {
      await ledger.submit(batchOfSeq(seq));
      if (seq % 20 === 0) await sleep(30);
    }
    await ledger.reader().entryBundle(0, 155);
    const [cut, store] = [await temporaryFolder(), join(dir, 'store')];
    await cp(store, join(cut, 'store'), { recursive: true });
    for (let seq = 155; seq < 160; seq++) await ledger.submit(batchOfSeq(seq));
    await cp(dir, cut, { recursive: true, filter: (path) => path !== store });
    await ledger.close();
    const turns = await scannedIn(cut);
    for (const { frames } of turns) expect(frames.length).toBeGreaterThan(0);
    const { commit, values } = await storedState(cut);
    expect(commit).toBeLessThan(joinTurns(turns).at(-1)?.commit ?? 0);
    expect(values.length).toBeLessThan(commit); // some were joined

    const again = await openLedger(ledgerDeps(cut));
    expect(again.status().size).toBe(160);
    await again.close();
    await requireSound(cut);
  });

  test('while small commits wait behind a write, and none after the turn is joined with one before it', async () => {
    const [dir, cut] = [await temporaryFolder(), await temporaryFolder()];
    const database = holdableDisk();
    const tuning = { disk: database.disk, journalTurnBytes: 40_000 };
    const ledger = await openLedger(ledgerDeps(dir, { storeTuning: tuning }));
    let size = 0;
    const submit = async (): Promise<void> => void (await ledger.submit(batchOfSeq(size++)));
    await submit(); // for a writer's first batch the database is asked
    const [before, synced] = [database.waiting, database.logsSynced];
    database.hold();
    await submit();
    await expect.poll(() => database.waiting).toBeGreaterThan(before);
    while ((await scannedIn(dir))[1]?.frames.length === 0) await submit();
    const turnedBehind = size - 1;
    await submit();
    database.release();
    await expect.poll(() => database.logsSynced).toBeGreaterThan(synced);
    database.hold();
    await submit();
    await cp(dir, cut, { recursive: true });
    database.release();
    await ledger.close();
    const last = joinTurns(await scannedIn(cut)).at(-1);
    expect(last).toMatchObject({ commit: size, settled: turnedBehind });
    expect(await storedState(cut)).toMatchObject({ commit: size - 1 });

    const again = await openLedger(ledgerDeps(cut));
    expect(again.status().size).toBe(size);
    await again.close();
    await requireSound(cut);
  });
});

test('a ledger that closes waits for a sync of its database that a removal overtook', async () => {
  const dir = await temporaryFolder();
  const holding = holdingOnce();
  const tuning = { disk: holding.disk, journalTurnBytes: 60_000 };
  const { ledger, say } = await grown(dir, { storeTuning: tuning });
  holding.holdNext = true;
  while ((await scannedIn(dir))[1]?.frames.length === 0) await say(officer, noticeItem('again'));
  await expect.poll(() => holding.isHeld).toBe(true);
  await say(issuer, destroyedItem(DAY), pruningItem(DAY));
  await expect.poll(() => holding.overtook).toBeGreaterThan(0);
  const closed = ledger.close();
  holding.closing();
  await closed;
  expect(holding.heldAtClose).toBe(false);
});

describe('a sync of the database that failed', () => {
  test('is never taken back: the ledger stops, and its journal keeps what it has', async () => {
    const dir = await temporaryFolder();
    const failing = failingOnce();
    const ledger = await openLedger(
      ledgerDeps(dir, { storeTuning: { disk: failing.disk, journalTurnBytes: 2000 } }),
    );
    failing.failNext = true;
    let acknowledged = 0;
    const appending = async (): Promise<void> => {
      for (; acknowledged < 100; acknowledged++) await ledger.submit(batchOfSeq(acknowledged));
    };
    await expect(appending()).rejects.toMatchObject({
      code: 'closed',
      message: expect.stringContaining('see to the disk, then start again') as string,
    });
    await expect(ledger.close()).resolves.toBeUndefined();
    const frames = joinTurns(await scannedIn(dir));
    expect(frames.map(({ commit }) => commit)).toEqual(frames.map((_, i) => i + 1));
    expect(frames.length).toBeGreaterThanOrEqual(acknowledged);
    expect(acknowledged).toBeGreaterThan(0);

    const again = await openLedger(ledgerDeps(dir));
    expect(again.status().size).toBeGreaterThanOrEqual(acknowledged);
    await again.close();
    await requireSound(dir);
  });

  test('nor when it fails as the ledger closes', async () => {
    const dir = await temporaryFolder();
    const failing = failingOnce();
    const ledger = await openLedger(ledgerDeps(dir, { storeTuning: { disk: failing.disk } }));
    for (let seq = 0; seq < 5; seq++) await ledger.submit(batchOfSeq(seq));
    failing.failNext = true;
    await expect(ledger.close()).rejects.toMatchObject({ code: 'damaged' });
    expect(joinTurns(await scannedIn(dir))).toHaveLength(5);
    await (await openLedger(ledgerDeps(dir))).close();
  });
});
