import { createServer, type AddressInfo, type Socket } from 'node:net';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test } from 'vitest';
import {
  openExternalBroker,
  type ExternalBroker,
  type ExternalBrokerOptions,
} from '../../ledger/broker/external.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { MAX_RECEIPTS, ReceiptOutbox } from '../../ledger/broker/receipt-outbox.js';
import { partyIdOf } from '../../protocol/keys.js';
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
  /** Ends all connections. */
  cut(): void;
  stop(): Promise<void>;
}

/**
 * A broker that knows nothing of the ledger; `letsIn` is asked at each CONNECT, `takes` at each PUBLISH: no ends the connection. A
 * SUBSCRIBE that is not answered waits for ever.
 */
async function plainBroker(
  port = 0,
  letsIn = () => true,
  takes: (topic: string) => boolean = () => true,
  answersSubscribe = () => true,
): Promise<PlainBroker> {
  const broker = await Aedes.createBroker({
    authorizeSubscribe: (_client, subscription, done) => answersSubscribe() && done(null, subscription),
    authorizePublish: (_client, { topic }, done) => done(takes(topic) ? null : new Error('denied')),
    authenticate: (_client, _username, _password, done) =>
      letsIn() ? done(null, true) : done(Object.assign(new Error('not now'), { returnCode: 5 }), null),
  });
  const sockets = new Set<Socket>();
  const server = createServer((socket) => {
    sockets.add(socket);
    broker.handle(socket);
  });
  await new Promise<void>((resolve) => server.listen(port, '127.0.0.1', resolve));
  const address = server.address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  const cut = () => sockets.forEach((socket) => socket.destroy());
  const stop = async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    cut();
    await new Promise<void>((resolve) => server.close(() => resolve()));
  };
  const running = {
    port: address.port,
    url: `mqtt://127.0.0.1:${address.port}`,
    cut,
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
  given: Omit<Partial<ExternalBrokerOptions>, 'ledger' | 'url'> = {},
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
    let begun = 0;
    let open = (): void => {};
    const opened = new Promise<void>((resolve) => (open = resolve));
    const held: Pick<Ledger, 'submit'> = {
      submit: async (batch, from) => {
        begun += 1;
        await opened;
        return ledger.submit(batch, from);
      },
    };
    const external = await attach(held, url, { clientId: 'the ledger', maxUnderWay: 3 });
    const one = await writer(url);
    const batches = Array.from({ length: 5 }, (_, seq) => batchOf(officer, seq, [noticeItem(`${seq}`)]));
    await Promise.all(batches.map((batch) => one.publish(batch)));
    await expect.poll(() => begun).toBe(3);
    const closed = external.close();
    open();
    await closed;
    expect(ledger.status().size).toBe(3);
    for (const batch of batches.slice(0, 3)) openReceipt(await one.receipt(), batch);
    await attach(ledger, url, { clientId: 'the ledger' });
    for (const batch of batches.slice(3)) openReceipt(await one.receipt(), batch);
    expect(ledger.status().size).toBe(5);
  });

  test('sends no receipt for a batch it could not store, and takes it when its writer sends it again', async () => {
    let connections = 0;
    const [{ url }, ledger] = [await plainBroker(0, () => (connections++, true)), await openTestLedger()];
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
    await expect.poll(() => connections).toBe(3); // its second
    await expect.poll(() => external.isConnected()).toBe(true);
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
    await expect.poll(() => external.isConnected()).toBe(true);
    const one = await writer(again.url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await expect
      .poll(async () => {
        await one.publish(batch);
        return ledger.status().size;
      })
      .toBe(1);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('comes back to a broker that refused it for a while, and says why it was away', async () => {
    const [ledger, answers] = [await openTestLedger(), [true, false, true]];
    const asked = () => 3 - answers.length;
    const broker = await plainBroker(0, () => answers.shift() ?? false);
    const external = await attach(ledger, broker.url, { clientId: 'the ledger' });
    expect(external.failure()).toBeUndefined();
    broker.cut();
    await expect.poll(() => external.failure()).toContain('Not authorized');
    expect([asked(), external.isConnected()]).toEqual([2, false]);
    await expect.poll(() => external.isConnected()).toBe(true);
    expect(external.failure()).toBeUndefined();
  });

  test('asks anew where the broker does not answer that it subscribes, and says so', async () => {
    const answers = [true, false, true];
    const answered = () => answers.shift() ?? true;
    const broker = await plainBroker(0, undefined, undefined, answered);
    const external = await attach(await openTestLedger(), broker.url, { subscribeWithinMs: 200 });
    broker.cut();
    await expect.poll(() => external.failure(), { timeout: 10_000 }).toContain('did not answer');
    await expect.poll(() => external.isConnected(), { timeout: 10_000 }).toBe(true);
    expect(answers).toEqual([]);
  }, 30_000);

  test('goes on hearing where the broker ends the connection at each receipt, says so, and gives them when it may', async () => {
    let isAllowed = false;
    const takes = (topic: string) => isAllowed || !topic.endsWith('/receipts');
    const [{ url }, ledger] = [await plainBroker(0, () => true, takes), await openTestLedger()];
    const retryMs = { first: 200, longest: 200 };
    const external = await attach(ledger, url, { clientId: 'the ledger', retryMs });
    const one = await writer(url);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    await expect.poll(() => external.isConnected()).toBe(false);
    await expect.poll(() => external.isConnected(), { timeout: 8_000 }).toBe(true);
    expect(external.receiptFailure()).toContain('/receipts');
    isAllowed = true;
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
    await expect.poll(() => external.receiptFailure()).toBeUndefined();
  }, 15_000);

  test('keeps a bounded number of receipts where the broker acknowledges none', async () => {
    const client = await mqtt.connectAsync((await plainBroker()).url);
    onTestFinished(() => client.endAsync(true));
    const outbox = new ReceiptOutbox(client, silentLog, 30_000);
    for (let n = 0; n <= MAX_RECEIPTS; n++) outbox.publish(partyIdOf(officer.publicKey), Buffer.of(1));
    expect(outbox.failure).toContain('does not acknowledge');
    expect(Object.keys(client.outgoing)).toHaveLength(1);
  });

  test('ends where the broker refuses it at its start', async () => {
    let asked = 0;
    const { url } = await plainBroker(0, () => (asked++, false));
    const opening = openExternalBroker({ ledger: await openTestLedger(), url, log: silentLog });
    await expect(opening).rejects.toMatchObject({ code: 'unreachable' });
    await new Promise((resolve) => setTimeout(resolve, 700)); // as long as the first pause, and more
    expect(asked).toBe(1);
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
