import { describe, expect, it, onTestFinished } from 'vitest';
import { openCourier } from '../../courier/courier.js';
import type { CourierDeps } from '../../courier/courier.js';
import { memorySpool } from '../../courier/spool-memory.js';
import { DEFAULT_SPOOL_LIMITS } from '../../courier/spool.js';
import { liveClock } from '../../host/clock-live.js';
import { refusalNumber, type Refusal } from '../../protocol/errors.js';
import { silentLog } from '../../protocol/log.js';
import type { LogFields } from '../../protocol/log.js';
import { receiptSigner, signerOf } from '../ledger/deployment.js';
import { refusedOf } from '../contracts/spool-contract.js';
import { item, payloadsOf, receiptFor, seqOf, testUplink, writer } from './rehearsal.js';

/** Batches are sent again for a refusal alone, not also because this machine was slow to bring the receipt. */
const FAST = { receiptWaitMs: 60_000, retryPauseMs: 100 };

async function started(changes: Partial<CourierDeps> = {}) {
  const uplink = testUplink();
  const spool = memorySpool();
  const ledgerReceiptKey = receiptSigner.publicKey;
  const given = { spool, uplink, signer: writer, ledgerReceiptKey, clock: liveClock() };
  const deps = { ...given, log: silentLog, version: 'test' };
  const courier = await openCourier({ ...deps, ...FAST, ...changes });
  onTestFinished(() => courier.close());
  /** The batch sent as number `place`, from 0. */
  const batch = async (place: number): Promise<Uint8Array> => {
    await expect.poll(() => uplink.sent.length, { interval: 20 }).toBeGreaterThan(place);
    return uplink.sent[place] ?? new Uint8Array();
  };
  return { courier, uplink, spool: changes.spool ?? spool, batch };
}

const pass = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

describe('a courier', () => {
  it('forgets an entry for the ledger’s receipt alone, and says where it stands', async () => {
    const { courier, uplink, batch } = await started();
    const [posted] = await courier.post([item(1)]);
    const sent = await batch(0);
    await pass(50); // the PUBACK has come
    expect(courier.status()).toMatchObject({ depth: 1, delivered: 0 });
    uplink.deliver(receiptFor(sent, [77]));
    expect(await posted?.delivered()).toEqual({ index: 77 });
    await courier.drained();
    expect(courier.status()).toMatchObject({ depth: 0, delivered: 1, refused: 0, strayReceipts: 0 });
  });

  it('sends a batch again, byte for byte, until its receipt comes, also while others come and go', async () => {
    const { courier, uplink } = await started({ receiptWaitMs: 300 });
    await courier.post([item(1)]);
    const [lost] = uplink.sent;
    const answered = new Set<number>([1]);
    for (let number = 2; number < 12; number += 1) {
      await courier.post([item(number)]);
      await pass(100);
      for (const sent of uplink.sent) {
        if (answered.has(seqOf(sent))) continue;
        answered.add(seqOf(sent));
        uplink.deliver(receiptFor(sent, payloadsOf(sent)));
      }
    }
    const again = uplink.sent.filter((sent) => seqOf(sent) === 1);
    expect(again.length).toBeGreaterThan(1);
    for (const bytes of again) expect(bytes).toEqual(lost);
    uplink.deliver(receiptFor(again[0] ?? new Uint8Array(), [1]));
    await courier.drained(AbortSignal.timeout(50_000));
  });

  it('sends nothing twice while the broker has not acknowledged it, and all again on a new connection', async () => {
    const { courier, uplink, batch } = await started({ receiptWaitMs: 300 });
    uplink.isMute = true;
    await courier.post([item(1)]);
    await batch(0);
    await pass(900);
    expect(uplink.sent).toHaveLength(1);
    const { courier: other, uplink: away } = await started({ receiptWaitMs: 300 });
    away.isOnline = false;
    await other.post([item(2)]);
    await pass(600);
    expect(away.sent).toHaveLength(0);
    away.goOnline();
    expect(away.sent).toHaveLength(1);
    away.goOnline();
    expect(away.sent).toHaveLength(1);
    await pass(20);
    away.goOnline();
    expect(away.sent).toHaveLength(2);
  });

  it.each([
    ['signed by another key', {}, signerOf('a forger')],
    ['for another writer', { writerId: new Uint8Array(16) }, receiptSigner],
    ['for another batch', { batchHash: new Uint8Array(32) }, receiptSigner],
    ['for another number', { seq: 2 }, receiptSigner],
    ['with too many outcomes', { outcomes: [0, 1].map((index) => ({ reason: 0, index })) }, receiptSigner],
  ] as const)('keeps everything for a receipt %s', async (_, changes, signer) => {
    const { courier, uplink, batch } = await started();
    await courier.post([item(1)]);
    uplink.deliver(receiptFor(await batch(0), [5], changes, signer));
    await pass(50);
    expect(courier.status()).toMatchObject({ depth: 1, delivered: 0, strayReceipts: 1 });
    uplink.deliver(new Uint8Array([1, 2, 3]));
    uplink.deliver(receiptFor(await batch(0), [5]));
    await courier.drained();
  });

  it('takes a receipt once', async () => {
    const { courier, uplink, batch } = await started();
    await courier.post([item(1)]);
    const receipt = receiptFor(await batch(0), [5]);
    for (const copy of [receipt, receipt, receipt]) uplink.deliver(copy);
    await courier.drained();
    uplink.deliver(receipt);
    expect(courier.status()).toMatchObject({ delivered: 1, strayReceipts: 3 });
  });

  it('sends the same batch again, later and later, while the ledger is busy', async () => {
    const { courier, uplink, batch } = await started();
    await courier.post([item(1), item(2)]);
    for (let place = 0; place < 3; place += 1)
      uplink.deliver(receiptFor(await batch(place), ['busy', 'busy']));
    const last = await batch(3);
    expect(uplink.sent.every((sent) => Buffer.compare(sent, last) === 0)).toBe(true);
    uplink.deliver(receiptFor(last, [0, 1]));
    await courier.drained();
    expect(courier.status()).toMatchObject({ delivered: 2, refused: 0 });
  });

  it('gives the entries of a taken number a later one: nothing is dropped', async () => {
    const { courier, uplink, batch } = await started();
    const posted = await courier.post([item(1), item(2)]);
    for (let place = 0; place < 3; place += 1)
      uplink.deliver(receiptFor(await batch(place), ['sequence', 'sequence']));
    const last = await batch(3);
    expect(uplink.sent.map(seqOf)).toEqual([1, 2, 4, 8]);
    expect(payloadsOf(last)).toEqual([1, 2]);
    uplink.deliver(receiptFor(last, [8, 9]));
    expect(await Promise.all(posted.map((entry) => entry.delivered()))).toEqual([{ index: 8 }, { index: 9 }]);
    expect(courier.status()).toMatchObject({ renumbered: 3, depth: 0 });
  });

  it('keeps a report whose certificate is not in the log yet, and brings it under another number', async () => {
    const { courier, uplink, batch } = await started();
    const posted = await courier.post([item(1, 1), item(2, 1), item(3, 2)]);
    uplink.deliver(receiptFor(await batch(0), [4, 'certificate', 'certificate']));
    expect(await posted[0]?.delivered()).toEqual({ index: 4 });
    expect(courier.status()).toMatchObject({ depth: 2, parked: 2, delivered: 1, refused: 0 });
    const again = await batch(1);
    expect([seqOf(again), payloadsOf(again)]).toEqual([2, [2, 3]]);
    uplink.deliver(receiptFor(again, ['certificate', 5]));
    const last = await batch(2);
    expect([seqOf(last), payloadsOf(last)]).toEqual([3, [2]]);
    uplink.deliver(receiptFor(last, [6]));
    await courier.drained(AbortSignal.timeout(50_000));
    expect(await posted[1]?.delivered()).toEqual({ index: 6 });
    expect(courier.status()).toMatchObject({ delivered: 3, refused: 0, parked: 0 });
  });

  it('goes on with other entries while some wait for a certificate', async () => {
    const { courier, uplink, batch } = await started({ retryPauseMs: 60_000 });
    await courier.post([item(1, 1), item(2, 1)]);
    uplink.deliver(receiptFor(await batch(0), [0, 'certificate']));
    for (let number = 3; number < 30; number += 1) {
      await courier.post([item(number, 1)]);
      uplink.deliver(receiptFor(await batch(number - 2), [number]));
      await expect.poll(() => courier.status().depth).toBe(1);
    }
    expect(courier.status()).toMatchObject({ delivered: 28, parked: 1 });
  });

  it('sends a batch refused whole for the certificate as it is before it takes that for an answer', async () => {
    const { courier, uplink, batch } = await started({ retryPauseMs: 5 });
    await courier.post([item(1, 1)]);
    for (let place = 0; place < 7; place += 1)
      uplink.deliver(receiptFor(await batch(place), ['certificate']));
    expect(new Set(uplink.sent.slice(0, 7).map(seqOf))).toEqual(new Set([1]));
    expect(seqOf(await batch(7))).toBe(2);
    uplink.deliver(receiptFor(await batch(7), [0]));
    await courier.drained(AbortSignal.timeout(50_000));
  });

  it('gives up what waits for a certificate once nobody could open it, and no sooner', async () => {
    const { courier, uplink, batch, spool } = await started({ isPastRetention: (timeMs) => timeMs < 3 });
    const posted = await courier.post([item(1, 1), item(2, 2), item(3, 1), item(1, 8)]);
    uplink.deliver(receiptFor(await batch(0), ['certificate', 'busy', 'certificate', 9]));
    expect(await posted[0]?.delivered()).toEqual({ index: undefined, refusal: 'certificate' });
    expect(await posted[3]?.delivered()).toEqual({ index: 9 });
    expect(courier.status()).toMatchObject({ parked: 2, keptAside: 1 });
    const reason = refusalNumber('certificate');
    expect(await refusedOf(spool)).toEqual([{ reason, entry: item(1, 1) }]);
    const again = await batch(1);
    expect(payloadsOf(again)).toEqual([2, 3]);
    uplink.deliver(receiptFor(again, [4, 5]));
    await courier.drained(AbortSignal.timeout(50_000));
  });

  it('tries no more what is never certified, at once when a batch is of that alone', async () => {
    const { courier, uplink, batch, spool } = await started();
    courier.noCertificateFrom(2);
    courier.noCertificateFrom(9); // the earliest counts
    await courier.post([item(1, 1), item(2, 1)]);
    uplink.deliver(receiptFor(await batch(0), [4, 'certificate']));
    await courier.drained(AbortSignal.timeout(50_000));
    await courier.post([item(3, 2), item(4, 1)]);
    uplink.deliver(receiptFor(await batch(1), ['certificate', 'certificate']));
    await courier.drained(AbortSignal.timeout(50_000));
    expect(courier.status()).toMatchObject({ parked: 0, delivered: 1, refused: 3, resent: 0 });
    const aside = [item(2, 1), item(3, 2), item(4, 1)];
    expect((await refusedOf(spool)).map(({ entry }) => entry)).toEqual(aside);
  });

  it('says how much of what was refused is dropped, when there is no room to keep it aside', async () => {
    const said: (LogFields | undefined)[] = [];
    const log = { ...silentLog, error: (_: string, fields?: LogFields) => void said.push(fields) };
    const spool = memorySpool({ ...DEFAULT_SPOOL_LIMITS, maxRefused: 2 });
    const { courier, uplink, batch } = await started({ log, spool });
    await courier.post([1, 2, 3, 4, 5].map((number) => item(number)));
    uplink.deliver(receiptFor(await batch(0), ['day', 'day', 'day', 'day', 'day']));
    await courier.drained(AbortSignal.timeout(50_000));
    expect(said).toEqual([{ entries: 5, reasons: 'day' }, { entries: 3 }]);
  });

  it('keeps aside what is refused for good, says why, and counts it', async () => {
    const { courier, uplink, batch, spool } = await started();
    const posted = await courier.post([item(1, 1), item(2, 1), item(3, 3)]);
    uplink.deliver(receiptFor(await batch(0), ['epoch', 7, 'certificate']));
    expect(await Promise.all(posted.map((entry) => entry.delivered()))).toEqual([
      { index: undefined, refusal: 'epoch' },
      { index: 7 },
      { index: undefined, refusal: 'certificate' },
    ]);
    await courier.drained();
    expect(courier.status()).toMatchObject({ delivered: 1, refused: 2, keptAside: 2 });
    expect((await refusedOf(spool)).map(({ entry }) => entry)).toEqual([item(1, 1), item(3, 3)]);
  });

  it('says once a batch, not once an entry, that the ledger refused for good', async () => {
    const said: (LogFields | undefined)[] = [];
    const log = { ...silentLog, error: (_: string, fields?: LogFields) => void said.push(fields) };
    const { courier, uplink, batch } = await started({ log });
    await courier.post(Array.from({ length: 40 }, (_, k) => item(k)));
    const reasons = Array.from({ length: 40 }, (_, k) => (['epoch', 'day', 0] as const)[k % 3] ?? 0);
    uplink.deliver(receiptFor(await batch(0), reasons));
    await courier.drained();
    expect(said).toEqual([{ entries: 27, reasons: 'epoch, day' }]);
  });

  it.each(['format', 'size'] satisfies Refusal[])(
    'tries a batch the ledger could not read (%s, number 0) a few times, then keeps its entries aside',
    async (refusal) => {
      const { courier, uplink, batch } = await started({ retryPauseMs: 5 });
      await courier.post([item(1), item(2)]);
      for (let place = 0; place < 7; place += 1)
        uplink.deliver(receiptFor(await batch(place), [refusal], { seq: 0 }));
      await courier.drained(AbortSignal.timeout(50_000));
      expect(courier.status()).toMatchObject({ refused: 2, keptAside: 2 });
    },
  );

  it('has few batches under way, and holds few that are put off', async () => {
    const { courier, uplink } = await started({ retryPauseMs: 60_000 });
    const answered = new Set<number>();
    for (let number = 0; number < 60; number += 1) {
      await courier.post([item(number)]);
      await pass(5);
      const open = uplink.sent.filter((sent) => !answered.has(seqOf(sent)));
      expect(open.length).toBeLessThanOrEqual(4);
      if (number % 2 === 1)
        for (const sent of open) {
          answered.add(seqOf(sent));
          uplink.deliver(
            receiptFor(
              sent,
              payloadsOf(sent).map(() => 'busy' as const),
            ),
          );
        }
    }
    await pass(300);
    expect(new Set(uplink.sent.map(seqOf)).size).toBe(16);
    expect(courier.status().depth).toBe(60);
  });

  it('refuses what no ledger takes before it is spooled, and everything when the spool is full', async () => {
    const { courier } = await started({ spool: memorySpool({ ...DEFAULT_SPOOL_LIMITS, maxEntries: 2 }) });
    const long = { ...item(1), payload: new Uint8Array(65_537) };
    await expect(courier.post([item(1), long])).rejects.toMatchObject({ code: 'size' });
    await expect(courier.post([{ ...item(1), type: -1 }])).rejects.toMatchObject({ code: 'format' });
    expect(courier.status().depth).toBe(0);
    await courier.post([item(1), item(2)]);
    await expect(courier.post([item(3)])).rejects.toMatchObject({ code: 'full' });
  });

  it('ends every wait when it closes, or when the signal says so, and leaves no listener behind', async () => {
    const { courier } = await started();
    const [posted] = await courier.post([item(1)]);
    const stop = new AbortController();
    const waits = [courier.drained(stop.signal), posted?.delivered(stop.signal)];
    stop.abort(new Error('enough'));
    for (const wait of waits) await expect(wait).rejects.toThrow('enough');
    const open = [courier.drained(), posted?.delivered()];
    await courier.close();
    for (const wait of open) await expect(wait).rejects.toMatchObject({ code: 'closed' });
    await expect(courier.post([item(2)])).rejects.toMatchObject({ code: 'closed' });
    await expect(courier.drained()).rejects.toMatchObject({ code: 'closed' });
  });

  it('sends after a restart what was formed before, under the same number', async () => {
    const spool = memorySpool();
    const first = await started({ spool });
    await first.courier.post([item(1)]);
    const sent = await first.batch(0);
    await first.courier.close();
    const second = await started({ spool });
    expect(await second.batch(0)).toEqual(sent);
  });
});
