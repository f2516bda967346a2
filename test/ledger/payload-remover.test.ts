/** Removing the payloads of pruned days in the background, when the disk does not let it. */
import { existsSync } from 'node:fs';
import { appendFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { PayloadRemover } from '../../ledger/payload-remover.js';
import { DayRegister, newDayRecord } from '../../ledger/store/day-record.js';
import { NODE_DISK, type Disk } from '../../ledger/store/disk.js';
import { silentLog } from '../../protocol/log.js';
import { destroyedItem, issuer, NOW_MS, pruningItem, temporaryFolder } from './deployment.js';
import { DAY, grown, stage } from './pruning-stage.js';

describe('the remover of payloads', () => {
  test('does not try a removal that failed again with every batch, and says why it failed', async () => {
    const pruned = { by: 1, atMs: NOW_MS, removed: false };
    const days = new DayRegister([{ ...newDayRecord(DAY), destroyedBy: 0, pruned }]);
    let tried = 0;
    const removePayloads = () => Promise.reject(new Error(`the disk did not answer, ${(tried += 1)}`));
    const remover = new PayloadRemover({ removePayloads }, days);
    for (let batch = 0; batch < 3; batch++) {
      remover.wake();
      await new Promise((resolve) => setTimeout(resolve, 1));
    }
    expect(remover.failure).toBe('the disk did not answer, 1');
    expect(days.toRemove).toBe(1);
    await remover.close();
  });

  test('tries a removal that failed again by itself after a pause, and logs the failure', async () => {
    const pruned = { by: 1, atMs: NOW_MS, removed: false };
    const record = { ...newDayRecord(DAY), destroyedBy: 0, pruned };
    const days = new DayRegister([record]);
    let tried = 0;
    const removePayloads = async () => {
      if ((tried += 1) === 1) throw new Error('the disk did not answer');
      return { ...record, pruned: { ...pruned, removed: true } };
    };
    const lines: string[] = [];
    const log = { ...silentLog, warn: (text: string) => void lines.push(text) };
    const remover = new PayloadRemover({ removePayloads }, days, { log, pauseMs: 20 });
    remover.wake();
    while (days.toRemove > 0) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(lines).toEqual(['payloads of a pruned day could not be removed; it is tried again']);
    await remover.close();
    expect(remover.failure).toBeUndefined();
  });

  test('goes on with the other days where one cannot be removed, and tries that one again', async () => {
    const pruned = { by: 1, atMs: NOW_MS, removed: false };
    const recordOf = (day: number) => ({ ...newDayRecord(day), destroyedBy: 0, pruned });
    const days = new DayRegister([DAY, DAY + 1, DAY + 2].map(recordOf));
    const tried: number[] = [];
    let isMended = false;
    const removePayloads = async (day: number) => {
      tried.push(day);
      if (day !== DAY + 1 && !isMended) throw new Error(`day ${day - DAY} stays`);
      return { ...recordOf(day), pruned: { ...pruned, removed: true } };
    };
    const lines: string[] = [];
    const log = { ...silentLog, warn: (text: string) => void lines.push(text) };
    const remover = new PayloadRemover({ removePayloads }, days, { log, pauseMs: 20 });
    remover.wake();
    await expect.poll(() => remover.failure).toBe('day 0 stays');
    expect(days.toRemove).toBe(2);
    expect(tried.slice(0, 3)).toEqual([DAY, DAY + 1, DAY + 2]);
    isMended = true;
    await expect.poll(() => days.toRemove).toBe(0);
    await remover.close();
    expect(remover.failure).toBeUndefined();
    expect(new Set(lines).size).toBe(1);
  });

  test('lets a ledger close behind the piece in hand, and goes on at the next start', async () => {
    const dir = await temporaryFolder();
    const path = join(dir, 'payloads', String(DAY));
    const { disk, pieces, letOn } = slowDisk(path);
    const lines: string[] = [];
    const log = { ...silentLog, warn: (text: string) => void lines.push(text) };
    const { ledger, say } = await grown(dir, { log, storeTuning: { disk } });
    await appendFile(path, Buffer.alloc(40 * 2 ** 20, 7));
    await say(issuer, destroyedItem(DAY), pruningItem(DAY));
    await expect.poll(pieces).toBe(1);
    const closed = ledger.close();
    letOn();
    await closed;
    expect([pieces(), existsSync(path), lines]).toEqual([1, true, []]);
    const { ledger: again } = await stage(dir);
    onTestFinished(() => again.close());
    await expect.poll(() => again.status().daysToRemove).toBe(0);
    expect(existsSync(path)).toBe(false);
  });
});

/** A disk whose syncs of the file that is overwritten wait for `letOn`; `pieces` counts them. */
function slowDisk(path: string) {
  const open = new Map<number, string>();
  const wiped = new Set<number>();
  let count = 0;
  let letOn = (): void => {};
  const mayGoOn = new Promise<void>((resolve) => (letOn = resolve));
  const disk: Disk = {
    ...NODE_DISK,
    writeAsync: (fd, piece) => {
      if (open.get(fd) === path && piece.bytes.every((byte) => byte === 0)) wiped.add(fd);
      return NODE_DISK.writeAsync(fd, piece);
    },
    open: (name, flags, mode) => {
      const fd = NODE_DISK.open(name, flags, mode);
      open.set(fd, name);
      return fd;
    },
    close: (fd) => {
      open.delete(fd);
      wiped.delete(fd);
      NODE_DISK.close(fd);
    },
    sync: async (fd) => {
      if (wiped.has(fd)) {
        count += 1;
        await mayGoOn;
      }
      await NODE_DISK.sync(fd);
    },
  };
  return { disk, pieces: () => count, letOn: () => letOn() };
}
