import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  openExternalBroker,
  type ExternalBroker,
  type ExternalBrokerOptions,
} from '../../ledger/broker-external.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { silentLog } from '../../protocol/log.js';
import {
  batchOf,
  ledgerDeps,
  noticeItem,
  officer,
  openReceipt,
  signerOf,
  temporaryFolder,
} from './deployment.js';
import { connectWriter } from './mqtt-writer.js';

interface PlainBroker {
  readonly port: number;
  readonly url: string;
  stop(): Promise<void>;
}

/** A broker that knows nothing of the ledger. */
async function plainBroker(port = 0): Promise<PlainBroker> {
  const broker = await Aedes.createBroker();
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const stop = async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    for (const socket of sockets) socket.destroy();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const running = {
    port: address.port,
    url: `mqtt://127.0.0.1:${address.port}`,
    stop: () => (stopped ??= stop()),
  };
  onTestFinished(() => running.stop());
  return running;
}

async function openTestLedger(): Promise<Ledger> {
  const ledger = await openLedger(ledgerDeps(await temporaryFolder()));
  onTestFinished(() => ledger.close());
  return ledger;
}

async function attach(
  ledger: Pick<Ledger, 'submit'>,
  url: string,
  given: Pick<ExternalBrokerOptions, 'clientId' | 'maxUnderWay'> = {},
): Promise<ExternalBroker> {
  const external = await openExternalBroker({ ledger, url, log: silentLog, ...given });
  onTestFinished(() => external.close());
  return external;
}

async function writer(url: string) {
  const connected = await connectWriter(url, officer);
  onTestFinished(() => connected.client.endAsync(true));
  return connected;
}

describe('a ledger behind a broker of somebody else', () => {
  test('takes batches and answers with receipts as the embedded one does', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    await attach(ledger, url);
    const one = await writer(url);
    const batches = Array.from({ length: 10 }, (_, seq) => batchOf(officer, seq, [noticeItem(`${seq}`)]));
    await Promise.all(batches.map((batch) => one.publish(batch)));
    for (const [index, batch] of batches.entries()) {
      expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index }]);
    }
  });

  test('finds what was published while it was away, and commits it once', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    const first = await attach(ledger, url, { clientId: 'the ledger' });
    await first.close();
    const one = await writer(url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    expect(ledger.status().size).toBe(0);
    await attach(ledger, url, { clientId: 'the ledger' });
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('has the batches of its writers under way at once, as many as it may, and answers all of them', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    let [atOnce, most] = [0, 0];
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const held: Pick<Ledger, 'submit'> = {
      submit: async (batch, from) => {
        most = Math.max(most, (atOnce += 1));
        await opened;
        return ledger.submit(batch, from).finally(() => (atOnce -= 1));
      },
    };
    await attach(held, url, { maxUnderWay: 12 });
    const one = await writer(url);
    const batches = Array.from({ length: 30 }, (_, seq) => batchOf(officer, seq, [noticeItem(`${seq}`)]));
    await Promise.all(batches.map((batch) => one.publish(batch)));
    await expect.poll(() => atOnce).toBe(12);
    open();
    for (const batch of batches) expect(openReceipt(await one.receipt(), batch).outcomes[0]?.reason).toBe(0);
    expect(most).toBe(12);
    expect(atOnce).toBe(0);
  });

  test('hands over the receipts of what is under way when it is closed, and leaves the rest with the broker', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    const slow: Pick<Ledger, 'submit'> = {
      submit: async (batch, from) => {
        await new Promise((resolve) => setTimeout(resolve, 200));
        return ledger.submit(batch, from);
      },
    };
    const external = await attach(slow, url, { clientId: 'the ledger', maxUnderWay: 3 });
    const one = await writer(url);
    const batches = Array.from({ length: 5 }, (_, seq) => batchOf(officer, seq, [noticeItem(`${seq}`)]));
    await Promise.all(batches.map((batch) => one.publish(batch)));
    await new Promise((resolve) => setTimeout(resolve, 100));
    await external.close();
    expect(ledger.status().size).toBe(3);
    for (const batch of batches.slice(0, 3)) openReceipt(await one.receipt(), batch);
    await attach(ledger, url, { clientId: 'the ledger' });
    for (const batch of batches.slice(3)) openReceipt(await one.receipt(), batch);
    expect(ledger.status().size).toBe(5);
  });

  test('sends no receipt for a batch it could not store, and takes it when its writer sends it again', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    let failures = 1;
    const failing: Pick<Ledger, 'submit'> = {
      submit: async (batch, from) => {
        if (failures-- > 0) throw new Error('the disk is away');
        return ledger.submit(batch, from);
      },
    };
    const external = await attach(failing, url, { clientId: 'the ledger' });
    const one = await writer(url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    await expect.poll(() => external.isConnected()).toBe(false);
    expect(ledger.status().size).toBe(0);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('leaves a batch it could not store with the broker, and gets it again, when it has one under way at a time', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    let failures = 2;
    const failing: Pick<Ledger, 'submit'> = {
      submit: async (batch, from) => {
        if (failures-- > 0) throw new Error('the disk is away');
        return ledger.submit(batch, from);
      },
    };
    await attach(failing, url, { clientId: 'the ledger', maxUnderWay: 1 });
    const one = await writer(url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
    expect(failures).toBeLessThan(0);
  });

  test('comes back when the broker does', async () => {
    const [broker, ledger] = [await plainBroker(), await openTestLedger()];
    const external = await attach(ledger, broker.url, { clientId: 'the ledger' });
    await broker.stop();
    await expect.poll(() => external.isConnected()).toBe(false);
    const again = await plainBroker(broker.port);
    await expect.poll(() => external.isConnected(), { timeout: 10_000 }).toBe(true);
    const one = await writer(again.url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await expect
      .poll(
        async () => {
          await one.publish(batch);
          return ledger.status().size;
        },
        { timeout: 10_000 },
      )
      .toBe(1);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('gives up on a broker that is not there after the stated time, with a message', async () => {
    const broker = await plainBroker();
    await broker.stop();
    const opening = openExternalBroker({
      ledger: await openTestLedger(),
      url: broker.url,
      giveUpAfterMs: 1500,
      log: silentLog,
    });
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
  });

  test('refuses in a receipt what anybody may publish on an open broker', async () => {
    const [{ url }, ledger] = [await plainBroker(), await openTestLedger()];
    await attach(ledger, url);
    const stranger = signerOf('stranger');
    const one = await connectWriter(url, stranger);
    onTestFinished(() => one.client.endAsync(true));
    const batch = batchOf(stranger, 1, [noticeItem('a')]);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes[0]?.index).toBeNull();
  });
});
