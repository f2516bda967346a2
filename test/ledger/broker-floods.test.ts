/** What one writer can do to the others at the embedded broker: over real sockets, with a real ledger. */
import { once } from 'node:events';
import { expect, onTestFinished, test } from 'vitest';
import { type Broker, type BrokerOptions } from '../../ledger/broker/aedes.js';
import { type Ledger } from '../../ledger/ledger.js';
import { batchOf, noticeItem, openReceipt, signerOf } from './deployment.js';
import { brokerStage, writerAt, type BrokerStage } from './broker-stage.js';
import { packet, publishes, rawWriter } from './raw-writer.js';

const flooding = signerOf('a gateway that floods');
const quiet = signerOf('a quiet gateway');

const stage = (changes?: (ledger: Ledger) => Partial<BrokerOptions>): Promise<BrokerStage> =>
  brokerStage(changes, { writers: [flooding, quiet].map(({ publicKey }) => ({ publicKey, types: [8] })) });

async function raw(broker: Broker, listens?: boolean) {
  const socket = await rawWriter(broker.url, flooding, listens);
  onTestFinished(() => void socket.destroy());
  return socket;
}

const junk = (count: number): Uint8Array[] => Array.from({ length: count }, () => Buffer.from('junk'));
const turns = async (count: number): Promise<void> => {
  for (let i = 0; i < count; i++) await new Promise((resolve) => setImmediate(resolve));
};

test('a writer that does not take its receipts keeps nobody else waiting, and is cut off in the end', async () => {
  const { broker } = await stage(() => ({ drainTimeoutMs: 1000 }));
  const one = await writerAt(broker, quiet);
  const deaf = await raw(broker);
  deaf.pause();
  deaf.write(publishes(flooding, junk(60_000)));
  for (let seq = 0; broker.connections() === 2; seq++) {
    const batch = batchOf(quiet, seq, [noticeItem(`${seq}`)]);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes[0]?.reason).toBe(0);
  }
  expect(one.client.connected).toBe(true);
});

test('a connection that leaves its receipts lying is cut off by what is held for it, and the one that sends goes on', async () => {
  const { broker, ledger } = await stage(() => ({ maxUnsentBytes: 100_000 }));
  const deaf = await raw(broker);
  deaf.pause();
  const sending = await raw(broker, false);
  sending.resume();
  const refused = (): number =>
    [...ledger.status().refusedBatches.values()].reduce((sum, one) => sum + one, 0);
  for (let sent = 0; broker.connections() === 2;) {
    sending.write(publishes(flooding, junk(2000)));
    sent += 2000;
    await expect.poll(refused).toBe(sent);
  }
  expect(sending.closed).toBe(false);
  sending.write(publishes(flooding, [batchOf(flooding, 1, [noticeItem('a')])]));
  await expect.poll(() => ledger.status().size).toBe(1);
});

test('a writer that asks for more topics than fit 8 KiB is cut off before they are collected', async () => {
  const { broker } = await stage();
  const greedy = await raw(broker);
  greedy.write(packet(0x82, Buffer.alloc(8192)).subarray(0, 3)); // SUBSCRIBE, its length, and no more
  await turns(20);
  expect(greedy.closed).toBe(false);
  greedy.destroy();
  const greedier = await raw(broker);
  greedier.write(packet(0x82, Buffer.alloc(8193)).subarray(0, 3));
  await once(greedier, 'close');
});

test('of what a connection sends, a few batches wait for the ledger at a time, and all are answered', async () => {
  let [atOnce, most, submitted] = [0, 0, 0];
  let open = (): void => {};
  const opened = new Promise<void>((resolve) => (open = resolve));
  const { broker, ledger } = await stage((real) => ({
    ledger: {
      knows: (key) => real.knows(key),
      submit: async (batch, from) => {
        most = Math.max(most, (atOnce += 1));
        await opened;
        submitted += 1;
        return real.submit(batch, from).finally(() => (atOnce -= 1));
      },
    },
  }));
  const flood = await raw(broker, false);
  flood.resume();
  flood.write(publishes(flooding, junk(3000)));
  await expect.poll(() => atOnce).toBeGreaterThan(0);
  await turns(200);
  expect(atOnce).toBe(64);
  open();
  await expect.poll(() => submitted).toBe(3000);
  expect(most).toBe(64);
  await expect.poll(() => ledger.status().pendingBatches).toBe(0);
  expect(ledger.status().refusedBusy).toBe(0);
});

test('a writer has four connections at most: a fifth is let in, and the oldest goes', async () => {
  const { broker } = await stage();
  const other = await writerAt(broker, quiet);
  const sockets = [];
  for (let i = 0; i < 4; i++) sockets.push(await raw(broker));
  await turns(50);
  expect(broker.connections()).toBe(5);
  const [first, second] = sockets;
  if (first === undefined || second === undefined) throw new Error('no connections');
  first.resume();
  const gone = once(first, 'close');
  const fifth = await raw(broker);
  await gone;
  await expect.poll(() => broker.connections()).toBe(5);
  const batch = batchOf(flooding, 1, [noticeItem('a')]);
  for (const socket of [second, fifth]) {
    const answer = once(socket, 'data');
    socket.write(publishes(flooding, [batch]));
    await answer;
  }
  expect(other.client.connected).toBe(true);
});
