/** What a courier says of itself: why it is offline, what the ledger took last, and what it refused. */
import { describe, expect, it, onTestFinished } from 'vitest';
import { openCourier } from '../../courier/courier.js';
import { memorySpool } from '../../courier/spool-memory.js';
import { asUnixMs } from '../../protocol/brands.js';
import { silentLog } from '../../protocol/log.js';
import { receiptSigner } from '../ledger/deployment.js';
import { item, receiptFor, testUplink, writer } from './rehearsal.js';

/** Of a rehearsal, by its own clock. */
const NOON_MS = 1_700_049_600_000;
/** Batches are sent again for a refusal alone, and then not before the test ends. */
const SLOW = { receiptWaitMs: 60_000, retryPauseMs: 60_000 };

async function started() {
  const [uplink, spool] = [testUplink(), memorySpool()];
  const ledgerReceiptKey = receiptSigner.publicKey;
  const clock = { nowMs: () => asUnixMs(NOON_MS) };
  const deps = { spool, uplink, signer: writer, ledgerReceiptKey, clock, log: silentLog, version: 'test' };
  const courier = await openCourier({ ...deps, ...SLOW });
  onTestFinished(() => courier.close());
  const batch = async (place: number): Promise<Uint8Array> => {
    await expect.poll(() => uplink.sent.length, { interval: 20 }).toBeGreaterThan(place);
    return uplink.sent[place] ?? new Uint8Array();
  };
  return { courier, uplink, batch };
}

describe('the status of a courier', () => {
  it('says why it is offline, and only while it is', async () => {
    const { courier, uplink } = await started();
    uplink.trouble = 'no route';
    expect(courier.status().offlineWhy).toBeUndefined();
    uplink.isOnline = false;
    expect(courier.status().offlineWhy).toBe('no route');
  });

  it('names the last entry that the ledger took and when, and no receipt by which it took nothing', async () => {
    const { courier, uplink, batch } = await started();
    const none = { lastIndex: undefined, lastReceiptMs: undefined };
    expect(courier.status()).toMatchObject(none);
    await courier.post([item(1)]);
    uplink.deliver(receiptFor(await batch(0), ['busy']));
    await courier.post([item(2, 1), item(3, 1)]);
    uplink.deliver(receiptFor(await batch(1), ['certificate', 'day']));
    await expect.poll(() => courier.status().parked).toBe(1);
    expect(courier.status()).toMatchObject(none);
    await courier.post([item(4), item(5), item(6)]);
    uplink.deliver(receiptFor(await batch(2), [70, 71, 'epoch']));
    await expect.poll(() => courier.status().delivered).toBe(2);
    expect(courier.status()).toMatchObject({ lastIndex: 71, lastReceiptMs: NOON_MS });
  });

  it('counts what was refused for good by its reason, and a reason that it does not know by its number', async () => {
    const { courier, uplink, batch } = await started();
    expect(courier.status().keptAsideReasons).toEqual({});
    await courier.post([item(1, 1), item(2, 1), item(3, 1), item(4, 1)]);
    const outcomes = [6, 5, 6, 99].map((reason) => ({ reason, index: null }));
    uplink.deliver(receiptFor(await batch(0), [], { outcomes }));
    await courier.drained();
    expect(courier.status()).toMatchObject({
      keptAside: 4,
      keptAsideReasons: { day: 2, epoch: 1, 'reason 99': 1 },
    });
  });
});
