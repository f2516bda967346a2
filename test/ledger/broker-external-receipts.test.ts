/** Which receipts are forgotten behind a broker of somebody else that is of no use for a while. */
import { createServer, type AddressInfo, type Socket } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { openExternalBroker } from '../../ledger/broker/external.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog } from '../../protocol/log.js';
import { entriesTopic } from '../../protocol/mqtt/topics.js';
import { officer } from './deployment.js';
import { packet } from './raw-writer.js';

const [CONNECT, PUBLISH, SUBSCRIBE, PINGREQ] = [1, 3, 8, 12];
const [CONNACK, PUBLISH_QOS_1, PUBACK, SUBACK, PINGRESP] = [0x20, 0x32, 0x40, 0x90, 0xd0];

interface Seen {
  subscribes: number;
  receipts: number;
}

/** What a stub does with a SUBSCRIBE or PUBLISH, which `seen` counts already. */
type Act = (socket: Socket, body: Buffer, seen: Seen) => void;

const grant: Act = (socket, body) => socket.write(packet(SUBACK, body.subarray(0, 2), Buffer.of(1)));

const acknowledge: Act = (socket, body) => {
  const id = 2 + body.readUInt16BE();
  socket.write(packet(PUBACK, body.subarray(id, id + 2)));
};

function publishBatch(socket: Socket): void {
  const topic = Buffer.from(entriesTopic(partyIdOf(officer.publicKey)));
  socket.write(packet(PUBLISH_QOS_1, Buffer.of(0, topic.length), topic, Buffer.of(0, 1), Buffer.of(1)));
}

/** Grants the first SUBSCRIBE, and publishes one batch; the rest is as told. All packets are below 128 bytes. */
async function stubBroker(subscribed: Act, published: Act) {
  const seen = { subscribes: 0, receipts: 0 };
  const sockets = new Set<Socket>();
  const take = (socket: Socket, kind: number, body: Buffer): void => {
    if (kind === CONNECT) socket.write(packet(CONNACK, Buffer.of(0, 0)));
    if (kind === PINGREQ) socket.write(packet(PINGRESP));
    if (kind === PUBLISH) {
      seen.receipts += 1;
      published(socket, body, seen);
    }
    if (kind !== SUBSCRIBE) return;
    seen.subscribes += 1;
    if (seen.subscribes > 1) return subscribed(socket, body, seen);
    grant(socket, body, seen);
    publishBatch(socket);
  };
  const server = createServer((socket) => {
    sockets.add(socket);
    socket.on('error', () => undefined);
    let bytes = Buffer.of();
    socket.on('data', (chunk: Buffer) => {
      bytes = Buffer.concat([bytes, chunk]);
      for (let end = 2 + (bytes[1] ?? 0); bytes.length >= Math.max(2, end); end = 2 + (bytes[1] ?? 0)) {
        take(socket, (bytes[0] ?? 0) >> 4, bytes.subarray(2, end));
        bytes = bytes.subarray(end);
      }
    });
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const cut = () => sockets.forEach((socket) => socket.destroy());
  onTestFinished(async () => {
    cut();
    await new Promise((resolve) => server.close(resolve));
  });
  return { url: `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`, seen, cut };
}

/** The ledger behind a stub that has its batch, and so many receipts, and is then cut off. */
async function cutOff(
  stub: Awaited<ReturnType<typeof stubBroker>>,
  receipt: Promise<Uint8Array>,
  { receipts = 0, subscribeWithinMs = 30_000 } = {},
) {
  let submitted = 0;
  const lines: string[] = [];
  const external = await openExternalBroker({
    ledger: { submit: () => ((submitted += 1), receipt) },
    url: stub.url,
    retryMs: { first: 20, longest: 20 },
    subscribeWithinMs,
    log: { ...silentLog, warn: (message) => void lines.push(message) },
  });
  onTestFinished(() => external.close());
  await expect.poll(() => submitted).toBe(1);
  await expect.poll(() => stub.seen.receipts).toBe(receipts);
  stub.cut();
  return { external, saidOfReceipts: () => lines.filter((line) => line.startsWith('receipts cannot')) };
}

function receiptLater() {
  let answer = (): void => {};
  const receipt = new Promise<Uint8Array>((resolve) => (answer = () => resolve(Buffer.from('a receipt'))));
  return { receipt, answer };
}

test('a subscription that is refused costs no receipt, and is not told as a refused receipt', async () => {
  const { receipt, answer } = receiptLater();
  let refused = Buffer.of();
  const stub = await stubBroker(
    (socket, body, seen) => {
      if (seen.subscribes > 2) return grant(socket, body, seen);
      refused = Buffer.from(body.subarray(0, 2));
      answer();
    },
    (socket, body, seen) => {
      if (seen.subscribes > 2 || seen.receipts > 1) return acknowledge(socket, body, seen);
      socket.write(packet(SUBACK, refused, Buffer.of(128)));
    },
  );
  const { external, saidOfReceipts } = await cutOff(stub, receipt);
  await expect.poll(() => stub.seen.subscribes, { timeout: 10_000 }).toBe(3);
  await expect.poll(() => external.isConnected(), { timeout: 10_000 }).toBe(true);
  expect(stub.seen.receipts).toBe(2);
  expect(saidOfReceipts()).toEqual([]);
}, 30_000);

test('a connection that the broker ends at the subscription leaves the next one to be told as refused receipts', async () => {
  const { receipt, answer } = receiptLater();
  const stub = await stubBroker(
    (socket, _, seen) => {
      if (seen.subscribes === 2) socket.destroy();
      else answer();
    },
    (socket) => socket.destroy(),
  );
  const { saidOfReceipts } = await cutOff(stub, receipt);
  await expect.poll(saidOfReceipts, { timeout: 10_000 }).toHaveLength(1);
  expect(stub.seen.receipts).toBe(2);
}, 30_000);

test('while receipts are sent again and not acknowledged, that is said to be why the ledger hears no writers', async () => {
  const { receipt, answer } = receiptLater();
  const stub = await stubBroker(grant, () => undefined);
  answer();
  const { external } = await cutOff(stub, receipt, { receipts: 1 });
  await expect.poll(() => external.failure(), { timeout: 10_000 }).toContain('has not acknowledged');
  expect(stub.seen.subscribes).toBe(1);
}, 30_000);

test('a broker that never acknowledges a receipt sent again is told of, and hears the ledger subscribe all the same', async () => {
  const { receipt, answer } = receiptLater();
  const stub = await stubBroker(grant, () => undefined);
  answer();
  const { external, saidOfReceipts } = await cutOff(stub, receipt, { receipts: 1, subscribeWithinMs: 500 });
  await expect.poll(() => stub.seen.subscribes, { timeout: 10_000 }).toBe(2);
  await expect.poll(() => external.isConnected(), { timeout: 10_000 }).toBe(true);
  expect(stub.seen.receipts).toBe(2);
  expect(external.receiptFailure()).toContain('does not acknowledge');
  expect(saidOfReceipts()).toHaveLength(1);
}, 30_000);
