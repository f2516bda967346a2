import { Level } from 'level';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { openCourier } from '../../courier/courier.js';
import type { CourierDeps } from '../../courier/courier.js';
import { memorySpool } from '../../courier/spool-memory.js';
import { liveClock } from '../../host/clock-live.js';
import { partyIdOf } from '../../protocol/keys.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { silentLog } from '../../protocol/log.js';
import { receiptSigner } from '../ledger/deployment.js';
import { levelSpool, temporaryFolder } from './folder.js';
import { item, payloadsOf, receiptFor, seqOf, testUplink, writer } from './rehearsal.js';

async function started(changes: Partial<CourierDeps> = {}) {
  const uplink = testUplink();
  const warnings: string[] = [];
  const log = { ...silentLog, warn: (message: string) => void warnings.push(message) };
  const courier = await openCourier({
    ...{ spool: memorySpool(), uplink, signer: writer, ledgerReceiptKey: receiptSigner.publicKey },
    ...{ clock: liveClock(), log, version: 'test', receiptWaitMs: 60_000, retryPauseMs: 0 },
    ...changes,
  });
  onTestFinished(() => courier.close());
  const batch = async (place: number): Promise<Uint8Array> => {
    await expect.poll(() => uplink.sent.length, { interval: 5 }).toBeGreaterThan(place);
    return uplink.sent[place] ?? new Uint8Array();
  };
  return { courier, uplink, batch, warnings };
}

const turn = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe('a courier whose spool began anew, while the ledger holds its numbers 1 to 1,000', () => {
  it('finds a free number in a few sends, says so a few times, and goes on from there one by one', async () => {
    const { courier, uplink, batch, warnings } = await started();
    await courier.post([item(1)]);
    let place = 0;
    for (; seqOf(await batch(place)) <= 1_000; place += 1)
      uplink.deliver(receiptFor(await batch(place), ['sequence']));
    uplink.deliver(receiptFor(await batch(place), [7]));
    await courier.drained();
    expect(uplink.sent.length).toBeLessThanOrEqual(15);
    expect(courier.status().renumbered).toBe(place);
    expect(warnings.length).toBeLessThanOrEqual(4);
    const free = seqOf(await batch(place));
    await courier.post([item(2)]);
    uplink.deliver(receiptFor(await batch(place + 1), ['sequence']));
    uplink.deliver(receiptFor(await batch(place + 2), [8]));
    await courier.drained();
    expect(uplink.sent.slice(place + 1).map(seqOf)).toEqual([free + 1, free + 2]);
  });
});

describe('a courier whose ledger is in trouble for long', () => {
  it('says a few times that the ledger is busy, not each of a thousand times', async () => {
    const { courier, uplink, batch, warnings } = await started();
    await courier.post([item(1)]);
    const busy = receiptFor(await batch(0), ['busy']);
    for (let times = 0; times < 1_000; times += 1) {
      uplink.deliver(busy);
      await turn();
    }
    expect(courier.status().strayReceipts).toBe(0);
    expect(warnings.length).toBeGreaterThan(5);
    expect(warnings.length).toBeLessThan(30);
  });

  it('sends a batch refused for the certificate as it is a few times, however often it was busy before', async () => {
    const { courier, uplink, batch } = await started();
    await courier.post([item(1, ENTRY_TYPE.tagReport)]);
    const sent = await batch(0);
    for (let times = 0; times < 20; times += 1) {
      uplink.deliver(receiptFor(sent, ['busy']));
      await turn();
    }
    for (let times = 0; times < 6; times += 1) {
      uplink.deliver(receiptFor(sent, ['certificate']));
      await turn();
    }
    expect(courier.status().strayReceipts).toBe(0);
    expect(new Set(uplink.sent.map(seqOf))).toEqual(new Set([1]));
    uplink.deliver(receiptFor(sent, ['certificate']));
    await expect.poll(() => seqOf(uplink.sent.at(-1) ?? sent)).toBe(2);
  });

  it('says no more when other batches come through between', async () => {
    const { courier, uplink, batch, warnings } = await started();
    await courier.post([item(1)]);
    const busy = receiptFor(await batch(0), ['busy']);
    for (let number = 2; number < 200; number += 1) {
      uplink.deliver(busy);
      await turn();
      const before = uplink.sent.length;
      await courier.post([item(number)]);
      await batch(before);
      const latest = uplink.sent.find((sent) => payloadsOf(sent)[0] === number);
      if (latest) uplink.deliver(receiptFor(latest, [number]));
      await turn();
    }
    expect(courier.status()).toMatchObject({ depth: 1, delivered: 198 });
    expect(warnings.length).toBeLessThan(30);
  });
});

describe('a receipt that the spool could not note', () => {
  it('holds, whatever the next one says: what is told and counted is what the spool holds', async () => {
    const spool = await levelSpool(await temporaryFolder(), {}, partyIdOf(writer.publicKey));
    const { courier, uplink, batch } = await started({ spool });
    const posted = await courier.post([item(1), item(2), item(3)]);
    const sent = await batch(0);
    vi.spyOn(Level.prototype, 'batch').mockRejectedValueOnce(new Error('No space left on device'));
    uplink.deliver(receiptFor(sent, [5, 'epoch', 'busy']));
    await expect.poll(() => courier.status().resent).toBeGreaterThan(0);
    vi.restoreAllMocks();
    uplink.deliver(receiptFor(sent, ['day', 6, 7]));
    expect(await posted[0]?.delivered()).toEqual({ index: 5 });
    expect(await posted[1]?.delivered()).toEqual({ index: undefined, refusal: 'epoch' });
    expect(courier.status()).toMatchObject({ delivered: 1, refused: 1, keptAside: 1, depth: 1 });
  });

  it('of a number that is taken makes no step longer: the number that was not given is given', async () => {
    const spool = await levelSpool(await temporaryFolder(), {}, partyIdOf(writer.publicKey));
    const { courier, uplink, batch } = await started({ spool });
    await courier.post([item(1)]);
    const taken = receiptFor(await batch(0), ['sequence']);
    vi.spyOn(Level.prototype, 'batch').mockRejectedValueOnce(new Error('No space left on device'));
    uplink.deliver(taken);
    await batch(1);
    vi.restoreAllMocks();
    uplink.deliver(taken);
    expect(seqOf(await batch(2))).toBe(2);
  });
});
