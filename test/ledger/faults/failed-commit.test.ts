/** A commit that failed leaves the journal as it is, and the folder alone once the ledger is closed. */
import { basename } from 'node:path';
import { expect, onTestFinished, test, vi } from 'vitest';
import { NODE_DISK, type Disk } from '../../../ledger/store/disk.js';
import { silentLog, type LogFields } from '../../../protocol/log.js';
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
import { DAY, grown, laterMs, RETENTION_DAYS, stage } from '../pruning-stage.js';

const ioError = (): Error => Object.assign(new Error('EIO: i/o error, write'), { code: 'EIO' });

/** The real disk, which knows its files by name. */
function namedDisk() {
  const names = new Map<number, string>();
  const open: Disk['open'] = (path, flags, mode) => {
    const fd = NODE_DISK.open(path, flags, mode);
    names.set(fd, basename(path));
    return fd;
  };
  const close: Disk['close'] = (fd) => {
    names.delete(fd);
    NODE_DISK.close(fd);
  };
  return { names, open, close };
}

/** Overwrites the file of {@link DAY} no further until `letGo`; the next write to `head` can be made to fail, done. */
function removalHeld() {
  const { names, open, close } = namedDisk();
  let letGo = (): void => undefined;
  const mayGoOn = new Promise<void>((resolve) => (letGo = resolve));
  const held = {
    isWaiting: false,
    failNextHead: false,
    letGo: () => letGo(),
    disk: {
      ...NODE_DISK,
      open,
      close,
      write: (fd, piece) => {
        const written = NODE_DISK.write(fd, piece);
        if (!held.failNextHead || names.get(fd) !== 'head') return written;
        held.failNextHead = false;
        throw ioError();
      },
      writeAsync: async (fd, piece) => {
        if (names.get(fd) === String(DAY) && piece.bytes.every((byte) => byte === 0)) {
          held.isWaiting = true;
          await mayGoOn;
        }
        return NODE_DISK.writeAsync(fd, piece);
      },
    } satisfies Disk,
  };
  return held;
}

test('a removal that ends behind a failed commit leaves the journal as it is, and is done again at the next start', async () => {
  const dir = await temporaryFolder();
  const held = removalHeld();
  const why: unknown[] = [];
  const warn = (_message: string, fields?: LogFields) => void why.push(fields?.['why']);
  const { ledger, say } = await grown(dir, { log: { ...silentLog, warn }, storeTuning: { disk: held.disk } });
  await say(issuer, destroyedItem(DAY), pruningItem(DAY));
  await expect.poll(() => held.isWaiting).toBe(true);
  held.failNextHead = true;
  const { size } = ledger.status();
  await expect(say(officer, noticeItem('unanswered'))).rejects.toMatchObject({ code: 'closed' });
  held.letGo();
  await ledger.close();

  const { ledger: again, clock } = await stage(dir);
  onTestFinished(() => again.close());
  clock.passTo(laterMs(RETENTION_DAYS + 1));
  expect(again.status().size).toBe(size + 1);
  expect(why).toEqual(['a commit failed: its journal stays']);
  expect(ledger.status().daysToRemove).toBe(1);
  await expect.poll(() => again.status().daysToRemove).toBe(0);
});

/** Tells of every call, and refuses journal writes while `failJournal`. */
function watchedDisk() {
  const { names, open, close } = namedDisk();
  const refuse = (fd: number): void => {
    if (watched.failJournal && names.get(fd)?.startsWith('journal')) throw ioError();
  };
  const write: Disk['write'] = (fd, piece) => (refuse(fd), NODE_DISK.write(fd, piece));
  const writeAsync: Disk['writeAsync'] = async (fd, piece) => (refuse(fd), NODE_DISK.writeAsync(fd, piece));
  const told = Object.entries({ ...NODE_DISK, open, close, write, writeAsync }).map(([name, call]) => [
    name,
    (...args: unknown[]) => {
      watched.calls.push(name);
      return (call as (...given: unknown[]) => unknown)(...args);
    },
  ]);
  const watched = {
    failJournal: false,
    calls: [] as string[],
    names,
    disk: Object.fromEntries(told) as Disk,
  };
  return watched;
}

test('a ledger closed after a failed commit writes nothing more, also of the commits that waited', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  onTestFinished(() => void vi.useRealTimers());
  const watched = watchedDisk();
  const ledger = await openLedger(
    ledgerDeps(await temporaryFolder(), { storeTuning: { disk: watched.disk } }),
  );
  const submit = (seq: number) => ledger.submit(batchOf(officer, seq, [noticeItem(`${seq}`)]));
  await submit(0);
  await submit(1);
  watched.failJournal = true;
  await expect(submit(2)).rejects.toMatchObject({ code: 'closed' });
  await ledger.close();
  const before = watched.calls.length;
  await vi.advanceTimersByTimeAsync(1000);
  expect(watched.calls.slice(before)).toEqual([]);
  expect(vi.getTimerCount()).toBe(0);
  expect([...watched.names.values()]).toEqual([]);
});
