/** The ledger behind a broker that is not ours: Debian's mosquitto. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openExternalBroker } from '../../ledger/broker/external.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { silentLog } from '../../protocol/log.js';
import { splitDayKeyStatements } from '../../protocol/mqtt/authority-topics.js';
import { DAY_KEYS_TOPIC } from '../../protocol/mqtt/topics.js';
import { secretOf } from '../authority/fixture.js';
import { authorityLedgerDeps, connectAuthority, retainedOf } from '../authority/over-mqtt.js';
import { batchOf, ledgerDeps, noticeItem, officer, openReceipt } from '../ledger/deployment.js';
import { connectWriter } from '../ledger/mqtt-writer.js';
import { startMosquitto, type Mosquitto } from './mosquitto.js';

let workDir: string;
let ledger: Ledger;
const closing: (() => Promise<unknown>)[] = [];

beforeEach(async () => {
  workDir = await mkdtemp(join(tmpdir(), 'firebreak-interop-'));
  ledger = await openLedger(ledgerDeps(join(workDir, 'ledger')));
});

afterEach(async () => {
  for (const close of closing.splice(0).reverse()) await close();
  await ledger.close();
  await rm(workDir, { recursive: true, force: true });
});

async function broker(port?: number): Promise<Mosquitto> {
  const mosquitto = await startMosquitto(workDir, port);
  closing.push(() => mosquitto.kill());
  return mosquitto;
}

async function attachLedger(url: string): Promise<void> {
  const attached = await openExternalBroker({ ledger, url, clientId: 'firebreak-ledger', log: silentLog });
  closing.push(() => attached.close());
}

describe('behind mosquitto, the ledger', () => {
  it('takes batches with QoS 1 and answers each with its receipt', async () => {
    const { url } = await broker();
    await attachLedger(url);
    const writer = await connectWriter(url, officer);
    closing.push(() => writer.client.endAsync(true));
    for (let seq = 0; seq < 20; seq += 1) {
      const batch = batchOf(officer, seq, [noticeItem(`${seq}/0`), noticeItem(`${seq}/1`)]);
      await writer.publish(batch);
      const { outcomes } = openReceipt(await writer.receipt(), batch);
      expect(outcomes.map(({ index }) => index)).toEqual([2 * seq, 2 * seq + 1]);
    }
    expect(ledger.status().size).toBe(40);
  });

  it('takes what an authority writes, and its statements reach whoever comes later', async () => {
    await ledger.close();
    ledger = await openLedger(authorityLedgerDeps(join(workDir, 'authority-ledger')));
    const mosquitto = await broker();
    const { url, port } = mosquitto;
    await attachLedger(url);
    const connected = await connectAuthority(url);
    const { authority, courier } = connected;
    closing.push(() => connected.close());
    await authority.addGateway(secretOf('gateway'), 'north door');
    await courier.drained(AbortSignal.timeout(30_000));
    expect(courier.status()).toMatchObject({ refused: 0, delivered: 4 });
    expect(await authority.published()).toBe(true);
    const statements = await retainedOf(url, DAY_KEYS_TOPIC);
    expect(splitDayKeyStatements(statements)).toHaveLength(3);

    await mosquitto.kill();
    await broker(port);
    await expect
      .poll(() => retainedOf(url, DAY_KEYS_TOPIC).catch(() => undefined), { timeout: 60_000 })
      .toEqual(statements);
    await authority.addGateway(secretOf('another gateway'), 'south door');
    await courier.drained(AbortSignal.timeout(60_000));
    expect(ledger.status().size).toBe(5);
  });

  it('gets what was published while it was away, from the session that the broker kept', async () => {
    const { url } = await broker();
    await attachLedger(url);
    await closing.pop()?.();
    const writer = await connectWriter(url, officer);
    closing.push(() => writer.client.endAsync(true));
    const batch = batchOf(officer, 0, [noticeItem('kept')]);
    await writer.publish(batch);
    expect(ledger.status().size).toBe(0);
    await attachLedger(url);
    expect(openReceipt(await writer.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });
});
