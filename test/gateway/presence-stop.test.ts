import { describe, expect, it } from 'vitest';
import { FirebreakError } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import { started } from './presence-stand.js';
import { DAY_MS, countingSequence, memoryStore } from './stand.js';

/** Epochs of so many tags each, which the ledger would not take. */
async function epochsOf(tags: number, epochs: number, disk?: Parameters<typeof started>[0]) {
  const at = await started(disk);
  at.right.may = false;
  for (let epoch = 0; epoch < epochs; epoch += 1) {
    at.hear(tags);
    await at.clock.advance(900_000 + 121_000);
    await at.presence.report();
  }
  return at;
}

const threeEpochs = () => epochsOf(2_000, 3);

describe('presence at a gateway that is stopped while it may not report', () => {
  it('is all reported at the next start, also beyond what a minute keeps', async () => {
    const { presence, disk } = await threeEpochs();
    await presence.finish();
    expect(presence.lost).toBe(0);
    const next = await started(disk);
    await next.presence.report();
    expect(next.presence).toMatchObject({ reported: 6_000, lost: 0 });
  });

  it('is kept to the 4,096 newest by the minute, and all of it written but once when nothing comes after', async () => {
    const { presence, disk } = await threeEpochs();
    const crashed = await started({ ...disk, store: memoryStore(disk.store.kept) });
    await crashed.presence.report();
    expect(crashed.presence.reported).toBe(4_096);
    let writes = 0;
    const save = disk.store.save.bind(disk.store);
    disk.store.save = (bytes) => save(bytes).finally(() => (writes += 1));
    await presence.report();
    await presence.finish();
    await presence.finish();
    expect(writes).toBe(1);
  });

  it.each([
    ['less than a minute keeps', 4],
    ['more than a minute keeps', 3],
  ])(
    'is kept to what the next start takes up, the room beside an earlier run being %s',
    async (_, epochs) => {
      const { presence: first, disk } = await epochsOf(8_000, epochs);
      await first.finish();
      expect(first.lost).toBe(0);
      const { presence: second } = await epochsOf(8_000, 2, disk);
      const [sealed, waiting] = [epochs * 8_000, 2 * 8_000];
      await second.finish();
      await second.finish();
      expect(second.lost).toBe(sealed + waiting - 32_768);
      const next = await started(disk);
      await next.presence.report();
      expect(next.presence).toMatchObject({ reported: 32_768, lost: 0 });
    },
  );

  it('is counted as lost where it can be neither reported nor kept, once', async () => {
    const { presence, hear, clock, right } = await started();
    right.may = false;
    await clock.advance(2 * DAY_MS);
    hear(3); // of a day without a key
    await presence.finish();
    await presence.finish();
    expect(presence.lost).toBe(3);
    const store = { ...memoryStore(), save: () => Promise.reject(new FirebreakError('full', 'no room')) };
    const full = await started({ store, sequence: countingSequence() });
    full.right.may = false;
    full.hear(2);
    await full.presence.finish();
    expect(full.presence.lost).toBe(2);
  });
});

describe('a trouble of presence that lasts', () => {
  it('is told the 1st, 2nd, 4th … time, and anew after it was over', async () => {
    const said: string[] = [];
    const log = { ...silentLog, warn: (message: string) => void said.push(message) };
    const { presence, hear, clock, courier, disk } = await started(undefined, 0, log);
    const save = disk.store.save.bind(disk.store);
    const full = new FirebreakError('full', 'full');
    for (const spell of [1, 2]) {
      hear(2);
      await clock.advance(900_000 + 121_000);
      courier.failure = full;
      disk.store.save = () => Promise.reject(full);
      for (let turn = 0; turn < 500; turn += 1) await presence.report();
      for (const trouble of [/report waits/, /cannot be kept/]) {
        const lines = said.filter((message) => trouble.test(message)).length;
        expect(lines).toBeGreaterThan(8 * spell);
        expect(lines).toBeLessThan(12 * spell);
      }
      courier.failure = undefined;
      disk.store.save = save;
      await presence.report();
    }
  });
});
