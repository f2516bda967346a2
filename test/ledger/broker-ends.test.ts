/** How the embedded broker ends: itself, and connections. */
import { once } from 'node:events';
import { connect } from 'node:net';
import { expect, onTestFinished, test } from 'vitest';
import { toHex } from '../../protocol/bytes.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { receiptsTopic } from '../../protocol/mqtt/topics.js';
import { brokerStage, writerAt } from './broker-stage.js';
import { batchOf, noticeItem, officer, openReceipt } from './deployment.js';
import { rawWriter } from './raw-writer.js';

test('a broker that is closed gives PUBACK and receipt for what the ledger has in hand, and begins nothing more', async () => {
  const submitted: Uint8Array[] = [];
  let committed = 0;
  let letOn = (): void => {};
  const mayGoOn = new Promise<void>((resolve) => (letOn = resolve));
  const { broker } = await brokerStage((real) => ({
    ledger: {
      knows: (key) => real.knows(key),
      submit: async (batch, from) => {
        submitted.push(batch);
        const receipt = await real.submit(batch, from);
        committed += 1;
        await mayGoOn; // the disk has done its part: closing waits a second, and no longer
        return receipt;
      },
    },
  }));
  const one = await writerAt(broker, officer);
  const said: string[] = [];
  const ended = new Promise<void>((resolve) => one.client.once('close', () => resolve()));
  const batch = batchOf(officer, 1, [noticeItem('a')]);
  one.publish(batch).then(
    () => said.push('PUBACK'),
    () => said.push('no PUBACK'),
  );
  void one.receipt().then((receipt) => {
    expect(openReceipt(receipt, batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
    said.push('receipt');
  });
  await expect.poll(() => committed, { timeout: 20_000 }).toBe(1);
  const closed = broker.close();
  one.publish(batchOf(officer, 2, [noticeItem('b')])).catch(() => undefined);
  setTimeout(letOn, 50);
  await closed;
  await ended;
  expect(said.sort()).toEqual(['PUBACK', 'receipt']);
  expect(submitted).toHaveLength(1);
});

type Line = readonly [string, LogFields | undefined];

function listening() {
  const lines: Line[] = [];
  const warn = (message: string, fields?: LogFields) => void lines.push([message, fields]);
  return { lines, log: { ...silentLog, warn } };
}

test('the log says why a writer’s connection was ended, and nothing of one that was lost', async () => {
  const { lines, log } = listening();
  const { broker } = await brokerStage(() => ({ log }));
  const lost = await rawWriter(broker.url, officer);
  lost.resetAndDestroy();
  await expect.poll(() => broker.connections()).toBe(0);
  const writer = await writerAt(broker, officer);
  await writer.client.endAsync();
  await expect.poll(() => broker.connections()).toBe(0);
  const one = await writerAt(broker, officer);
  const ended = new Promise<void>((resolve) => one.client.once('close', () => resolve()));
  const writerId = partyIdOf(officer.publicKey);
  one.client.publish(receiptsTopic(writerId), 'mine', { qos: 1 });
  await ended;
  const why = 'this writer may not publish this';
  expect(lines).toEqual([['a connection of a writer was ended', { writer: toHex(writerId), why }]]);
});

test('the log says that a connection found no room, and how many there is room for', async () => {
  const { lines, log } = listening();
  const { broker } = await brokerStage(() => ({ log, maxConnections: 1 }));
  const port = Number(new URL(broker.url).port);
  const first = connect(port, '127.0.0.1');
  onTestFinished(() => void first.destroy());
  await expect.poll(() => broker.connections()).toBe(1);
  const second = connect(port, '127.0.0.1');
  second.on('error', () => undefined);
  second.resume();
  await once(second, 'close');
  expect(lines).toEqual([
    ['a connection to the broker was dropped: it has as many as it takes', { most: 1 }],
  ]);
});
