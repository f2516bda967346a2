import { connect } from 'node:net';
import { randomBytes } from 'node:crypto';
import type { EventEmitter } from 'node:events';
import { Aedes } from 'aedes';
import mqtt from 'mqtt';
import { describe, expect, onTestFinished, test, vi } from 'vitest';
import { LimitedLog } from '../../host/limited-log.js';
import { openAedesBroker, type BrokerOptions } from '../../ledger/broker/aedes.js';
import { makeConnectToken } from '../../protocol/mqtt/connect-token.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { refusalNumber } from '../../protocol/errors.js';
import { partyIdOf } from '../../protocol/keys.js';
import { silentLog, type LogFields } from '../../protocol/log.js';
import { DAY_KEYS_TOPIC, entriesTopic, receiptsTopic, statusTopic } from '../../protocol/mqtt/topics.js';
import {
  batchOf,
  certificateItem,
  issuer,
  noticeItem,
  officer,
  openReceipt,
  reportItem,
  signerOf,
} from './deployment.js';
import { brokerStage, writerAt } from './broker-stage.js';

const gateway = signerOf('gateway one');

const running = (changes: Partial<BrokerOptions> = {}) => brokerStage(() => changes);

const ended = (client: mqtt.MqttClient) =>
  new Promise<void>((resolve) => client.once('close', () => resolve()));

describe('the embedded broker', () => {
  test('answers a batch with PUBACK and a signed receipt', async () => {
    const { broker } = await running();
    const one = await writerAt(broker, officer);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('acknowledges only what is stored: no PUBACK while the ledger has not committed', async () => {
    let commit = (): void => {};
    const held = new Promise<void>((resolve) => (commit = resolve));
    const { ledger, broker } = await running();
    const slow: BrokerOptions['ledger'] = {
      knows: (key) => ledger.knows(key),
      submit: async (batch, from) => {
        await held;
        return ledger.submit(batch, from);
      },
    };
    const other = await openAedesBroker({
      ledger: slow,
      issuerPublicKey: issuer.publicKey,
      port: 0,
      log: silentLog,
    });
    onTestFinished(() => other.close());
    const one = await writerAt(other, officer);
    let acknowledged = false;
    const publishing = one.publish(batchOf(officer, 1, [noticeItem('a')])).then(() => (acknowledged = true));
    await new Promise((resolve) => setTimeout(resolve, 200));
    expect(acknowledged).toBe(false);
    expect(ledger.status().size).toBe(0);
    commit();
    await publishing;
    expect(ledger.status().size).toBe(1);
    expect(broker.connections()).toBe(0);
  });

  test('takes batches of several writers at once, each hearing its own receipts only', async () => {
    const { ledger, broker } = await running();
    await ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
    const writers = await Promise.all(
      [officer, gateway].map(async (signer) => ({ signer, ...(await writerAt(broker, signer)) })),
    );
    await Promise.all(
      writers.map(async ({ signer, ...one }) => {
        const item = () => (signer === gateway ? reportItem(gateway) : noticeItem(`${Math.random()}`));
        const batches = Array.from({ length: 20 }, (_, seq) => batchOf(signer, seq, [item(), item()]));
        await Promise.all(batches.map((batch) => one.publish(batch)));
        for (const batch of batches)
          expect(openReceipt(await one.receipt(), batch).outcomes[0]?.reason).toBe(0);
      }),
    );
    expect(ledger.status().size).toBe(81);
  });

  test('says no in a receipt and keeps the connection', async () => {
    const { broker } = await running();
    const one = await writerAt(broker, officer);
    const junk = Buffer.from('junk');
    await one.publish(junk);
    expect(openReceipt(await one.receipt(), junk).outcomes).toEqual([
      { reason: refusalNumber('format'), index: null },
    ]);
    const batch = batchOf(officer, 1, [noticeItem('a')]);
    await one.publish(batch);
    expect(openReceipt(await one.receipt(), batch).outcomes).toEqual([{ reason: 0, index: 0 }]);
  });

  test('lets go of the connection, without PUBACK, when the ledger cannot store', async () => {
    const { ledger, broker } = await running();
    const one = await writerAt(broker, officer);
    await ledger.close();
    const closed = ended(one.client);
    const publishing = one.publish(batchOf(officer, 1, [noticeItem('a')])).then(
      () => 'acknowledged',
      () => 'not acknowledged',
    );
    await closed;
    await one.client.endAsync(true);
    expect(await publishing).toBe('not acknowledged');
  });

  test('refuses unknown writers, stale tokens and other people’s names at CONNECT', async () => {
    const { ledger, broker } = await running();
    const attempt = async (signer: Signer, wallMs: number, username?: string) => {
      const token = makeConnectToken(signer, wallMs, randomBytes(16));
      const options = { ...token, ...(username !== undefined && { username }), reconnectPeriod: 0 };
      const client = await mqtt
        .connectAsync(broker.url, options, false)
        .catch((error: { code: number }) => error.code);
      if (typeof client === 'number') return client;
      await client.endAsync(true);
      return 0;
    };
    expect(await attempt(gateway, Date.now())).toBe(5);
    expect(await attempt(officer, Date.now() - 3_600_000)).toBe(4);
    expect(await attempt(officer, Date.now(), Buffer.from(partyIdOf(issuer.publicKey)).toString('hex'))).toBe(
      4,
    );
    expect(await attempt(officer, Date.now())).toBe(0);
    await ledger.submit(batchOf(issuer, 1, [certificateItem(gateway)]));
    expect(await attempt(gateway, Date.now())).toBe(0);
  });

  test.each([
    ['its receipts', receiptsTopic(partyIdOf(officer.publicKey)), 0, false, 5],
    ['its entries', entriesTopic(partyIdOf(officer.publicKey)), 1, false, 5],
    ['another writer’s status', statusTopic(partyIdOf(issuer.publicKey)), 1, true, 5],
    ['its status with QoS 2', statusTopic(partyIdOf(officer.publicKey)), 2, true, 5],
    ['its status', statusTopic(partyIdOf(officer.publicKey)), 1, true, 0],
  ] as const)('answers a CONNECT with a last will on %s', async (_what, topic, qos, retain, code) => {
    const { broker } = await running();
    const will = { topic, payload: Buffer.from('{}'), qos, retain };
    const token = makeConnectToken(officer, Date.now(), randomBytes(16));
    const answer = await mqtt.connectAsync(broker.url, { ...token, will, reconnectPeriod: 0 }, false).then(
      async (client) => (await client.endAsync(), 0),
      (error: { code: number }) => error.code,
    );
    expect(answer).toBe(code);
  });

  test('leaves the wills of writers that are there alone when the clock leaps forward', async () => {
    vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval', 'Date'], now: Date.now() });
    onTestFinished(() => void vi.useRealTimers());
    const exact = globalThis.setInterval;
    const late = (run: () => void, ms = 0) => exact(run, ms + 1); // as Node's are: four times a minute is after four minutes
    const timers = vi.spyOn(globalThis, 'setInterval').mockImplementation(late);
    const publish = vi.spyOn(Aedes.prototype, 'publish');
    onTestFinished(() => [timers, publish].forEach((spy) => spy.mockRestore()));
    const { broker } = await running();
    const topic = statusTopic(partyIdOf(officer.publicKey));
    const will = { topic, payload: Buffer.from('gone'), qos: 1, retain: true } as const;
    const token = makeConnectToken(officer, Date.now(), randomBytes(16));
    const client = await mqtt.connectAsync(broker.url, { ...token, will, reconnectPeriod: 0 }, false);
    onTestFinished(() => client.endAsync(true));
    for (let second = 0; second < 600; second++) {
      vi.setSystemTime(Date.now() + 600_000);
      await vi.advanceTimersByTimeAsync(1000);
    }
    const texts = () =>
      publish.mock.calls
        .map(([one]) => one)
        .filter((one) => one.topic === topic)
        .map((one) => `${one.payload}`);
    await client.publishAsync(topic, 'here', { qos: 1, retain: true });
    await expect.poll(() => texts().includes('here')).toBe(true);
    expect(texts()).toEqual(['here']);
  });

  test('logs an error of its own, and goes on', async () => {
    const publish = vi.spyOn(Aedes.prototype, 'publish');
    onTestFinished(() => publish.mockRestore());
    const told: string[] = [];
    const { broker } = await running({ log: { ...silentLog, error: (message) => void told.push(message) } });
    const [aedes] = publish.mock.contexts as EventEmitter[];
    aedes?.emit('error', new Error('the disk is away'));
    expect(told).toEqual(['the broker failed at something']);
    await writerAt(broker, officer);
  });

  test('writes few lines for a flood of refused connections, and counts the rest', async () => {
    const warned: (readonly [string, LogFields | undefined])[] = [];
    const warn = (message: string, fields?: LogFields) => void warned.push([message, fields]);
    const { broker } = await running({ log: { ...silentLog, warn } });
    const refused = async (token: ReturnType<typeof makeConnectToken>) => {
      const options = { ...token, reconnectPeriod: 0 };
      await expect(mqtt.connectAsync(broker.url, options, false)).rejects.toBeDefined();
    };
    for (let i = 0; i < 20; i++) await refused(makeConnectToken(officer, 0, randomBytes(16)));
    await refused(makeConnectToken(gateway, Date.now(), randomBytes(16)));
    await broker.close();
    const message = 'a connection to the broker was refused';
    expect(warned).toHaveLength(11);
    expect(warned[8]).toEqual([message, expect.objectContaining({ leftOut: 7 })]);
    expect(warned[9]?.[0]).toBe('a writer that nobody vouched for was refused');
    const why = warned[0]?.[1]?.['why'];
    expect(warned[10]).toEqual(['lines were left out', { of: message, why, leftOut: 4 }]);
  });

  test.each([
    ['another writer’s entries', entriesTopic(partyIdOf(issuer.publicKey)), 1, false],
    ['its own entries with QoS 0', entriesTopic(partyIdOf(officer.publicKey)), 0, false],
    ['its own entries with QoS 2', entriesTopic(partyIdOf(officer.publicKey)), 2, false],
    ['its status with QoS 2', statusTopic(partyIdOf(officer.publicKey)), 2, true],
    ['its own entries retained', entriesTopic(partyIdOf(officer.publicKey)), 1, true],
    ['receipts', receiptsTopic(partyIdOf(officer.publicKey)), 1, false],
    ['another writer’s status', statusTopic(partyIdOf(issuer.publicKey)), 1, true],
    ['day keys', DAY_KEYS_TOPIC, 1, true],
    ['anything else', 'firebreak/v1/letters', 1, false],
  ] as const)('ends the connection of a writer that publishes %s', async (_what, topic, qos, retain) => {
    const { ledger, broker } = await running();
    const one = await writerAt(broker, officer);
    const closed = ended(one.client);
    one.client.publish(topic, Buffer.from(batchOf(officer, 1, [noticeItem('a')])), { qos, retain });
    await closed;
    expect(ledger.status().size).toBe(0);
  });

  test('lets a writer hear its own receipts and the authority, nothing else', async () => {
    const { broker } = await running();
    const { client } = await writerAt(broker, officer);
    const ask = async (topic: string) =>
      (await client.subscribeAsync(topic, { qos: 1 }).catch(() => []))[0]?.qos ?? 128;
    expect(await ask(DAY_KEYS_TOPIC)).toBe(1);
    expect(await ask(receiptsTopic(partyIdOf(issuer.publicKey)))).toBe(128);
    expect(await ask('firebreak/v1/writers/+/receipts')).toBe(128);
    expect(await ask(entriesTopic(partyIdOf(officer.publicKey)))).toBe(128);
    expect(await ask('#')).toBe(128);
    expect(await ask('$SYS/#')).toBe(128);
  });

  test('two writers with the same client id do not push each other out', async () => {
    const { broker } = await running();
    const open = (signer: Signer) => {
      const token = makeConnectToken(signer, Date.now(), randomBytes(16));
      return mqtt.connectAsync(broker.url, { ...token, clientId: 'same', reconnectPeriod: 0 }, false);
    };
    const clients = [await open(officer), await open(issuer)];
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(clients.map(({ connected }) => connected)).toEqual([true, true]);
    await Promise.all(clients.map((client) => client.endAsync(true)));
  });

  test('ends a connection that announces a packet it would never take, before collecting it', async () => {
    const { broker } = await running();
    const socket = connect(Number(new URL(broker.url).port), '127.0.0.1');
    const closed = new Promise<boolean>((resolve) => socket.once('close', () => resolve(true)));
    socket.on('error', () => {});
    socket.write(Buffer.from([0x10, 0xff, 0xff, 0xff, 0x7f]));
    expect(await closed).toBe(true);
  });

  test('says when its port is in use, and lets go of its log', async () => {
    const { ledger, broker } = await running();
    const closeLog = vi.spyOn(LimitedLog.prototype, 'close');
    onTestFinished(() => closeLog.mockRestore());
    const port = Number(new URL(broker.url).port);
    const again = openAedesBroker({ ledger, issuerPublicKey: issuer.publicKey, port, log: silentLog });
    await expect(again).rejects.toMatchObject({ code: 'port-in-use' });
    expect(closeLog).toHaveBeenCalledOnce();
  });

  test('closes while writers are connected', async () => {
    const { broker } = await running();
    const one = await writerAt(broker, officer);
    const closed = ended(one.client);
    await broker.close();
    await closed;
  });
});
