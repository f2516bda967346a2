import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openAedesBroker, type Broker } from '../../ledger/broker/aedes.js';
import { openLedger, type Ledger } from '../../ledger/ledger.js';
import { splitDayKeyStatements } from '../../protocol/mqtt/authority-topics.js';
import { asTagNumber } from '../../protocol/brands.js';
import { decodeEntry } from '../../protocol/tlog/entry.js';
import { silentLog } from '../../protocol/log.js';
import { entriesOf } from '../../protocol/tlog/tile.js';
import { dayOf } from '../../protocol/time.js';
import { DAY_KEYS_TOPIC, NOTICES_TOPIC } from '../../protocol/mqtt/topics.js';
import { issuer, NOW_MS } from '../ledger/deployment.js';
import { AskingTag, secretOf } from './fixture.js';
import { authorityLedgerDeps, connectAuthority, retainedOf, type ConnectedAuthority } from './over-mqtt.js';

const TODAY = dayOf(NOW_MS / 1000);
let dir: string;
let ledger: Ledger;
let broker: Broker;
let connected: ConnectedAuthority;

const brokerOn = (port: number) =>
  openAedesBroker({ ledger, issuerPublicKey: issuer.publicKey, port, log: silentLog });

beforeEach(async () => {
  dir = await mkdtemp(join(tmpdir(), 'firebreak-authority-'));
  ledger = await openLedger(authorityLedgerDeps(dir));
  broker = await brokerOn(0);
  connected = await connectAuthority(broker.url);
});

afterEach(async () => {
  await connected.close();
  await broker.close();
  await ledger.close();
  await rm(dir, { recursive: true, force: true });
});

describe('an authority over MQTT', () => {
  it('has each of its entries taken by the ledger', async () => {
    const { authority, courier } = connected;
    await authority.enrol(new AskingTag('a').firstRequest(TODAY, 1), asTagNumber(9));
    await authority.addGateway(secretOf('gateway'), 'north door');
    await authority.notify({ day: TODAY, code: 1, tags: [asTagNumber(9)] });
    await courier.drained(AbortSignal.timeout(50_000));
    expect(courier.status()).toMatchObject({ refused: 0, delivered: 6 });
    const bundle = await ledger.reader().entryBundle(0, 6);
    expect(entriesOf(bundle, 6).map((entry) => decodeEntry(entry).type)).toEqual([4, 4, 4, 9, 3, 8]);
  });

  it('retains its statements for whoever comes later, also on a broker that lost them', async () => {
    const { authority } = connected;
    const { number, notice } = await authority.notify({ day: TODAY, code: 1, tags: [] });
    expect(await authority.notified(number, AbortSignal.timeout(50_000))).toBe('out');
    expect(await retainedOf(broker.url, NOTICES_TOPIC, issuer)).toEqual(notice);
    const port = Number(new URL(broker.url).port);
    await broker.close();
    broker = await brokerOn(port);
    await expect
      .poll(() => retainedOf(broker.url, NOTICES_TOPIC, issuer).catch(() => undefined), { timeout: 20_000 })
      .toEqual(notice);
    expect(splitDayKeyStatements(await retainedOf(broker.url, DAY_KEYS_TOPIC, issuer))).toHaveLength(3);
  });
});
