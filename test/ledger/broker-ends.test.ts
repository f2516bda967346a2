/** How the embedded broker ends: itself, and connections. */
import { expect, test } from 'vitest';
import { brokerStage, writerAt } from './broker-stage.js';
import { batchOf, noticeItem, officer, openReceipt } from './deployment.js';

test('a broker that is closed gives PUBACK and receipt for what the ledger has in hand, and begins nothing more', async () => {
  const submitted: Uint8Array[] = [];
  let letOn = (): void => {};
  const mayGoOn = new Promise<void>((resolve) => (letOn = resolve));
  const { broker } = await brokerStage((real) => ({
    ledger: {
      knows: (key) => real.knows(key),
      submit: async (batch, from) => {
        submitted.push(batch);
        await mayGoOn;
        return real.submit(batch, from);
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
  await expect.poll(() => submitted.length).toBe(1);
  const closed = broker.close();
  one.publish(batchOf(officer, 2, [noticeItem('b')])).catch(() => undefined);
  setTimeout(letOn, 50);
  await closed;
  await ended;
  expect(said.sort()).toEqual(['PUBACK', 'receipt']);
  expect(submitted).toHaveLength(1);
});
