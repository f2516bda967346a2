/** Removing the payloads of pruned days in the background, when the disk does not let it. */
import { describe, expect, test } from 'vitest';
import { PayloadRemover } from '../../ledger/payload-remover.js';
import { DayRegister, newDayRecord } from '../../ledger/store/day-record.js';
import { silentLog } from '../../protocol/log.js';
import { NOW_MS } from './deployment.js';

const DAY = 20_000;

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
});
