/** What the status of a ledger tells of the connections of its writers. */
import { mkdtemp, rm } from 'node:fs/promises';
import { createServer, type AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Aedes } from 'aedes';
import { expect, it, onTestFinished } from 'vitest';
import { createDeployment } from '../../cli/folder/deployment.js';
import { folderAt } from '../../cli/folder/folder.js';
import { startLedger } from '../../cli/parts/ledger.js';
import { silentLog } from '../../protocol/log.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { DEFAULT_SETTINGS } from '../../protocol/settings.js';
import { batchOf, certificateItem, issuer, signerOf, standingClock } from '../ledger/deployment.js';
import { connectWriter } from '../ledger/mqtt-writer.js';

/** A folder's ledger that takes the issuer of the tests for its own. */
async function openStage(brokerUrl?: string) {
  const dir = await mkdtemp(join(tmpdir(), 'firebreak-hearing-'));
  onTestFinished(() => rm(dir, { recursive: true, force: true }));
  const folder = folderAt(dir);
  const config = await createDeployment(folder, { settings: DEFAULT_SETTINGS });
  const named = { name: 'issuer', publicKey: issuer.publicKey, entryTypes: [3] };
  const context = {
    ...{ folder, clock: standingClock(), log: silentLog, signal: new AbortController().signal },
    config: { ...config, issuerPublicKey: issuer.publicKey, writers: [named] },
  };
  const running = await startLedger(context, { mqttPort: 0, ...(brokerUrl !== undefined && { brokerUrl }) });
  onTestFinished(() => running.close());
  return running;
}

async function writerAt(url: string, signer: Signer) {
  const writer = await connectWriter(url, signer);
  onTestFinished(() => writer.client.endAsync(true));
  return writer;
}

it('gateways are counted while they are connected, each once, and other writers are not', async () => {
  const { hearing, mqttUrl } = await openStage();
  const authority = await writerAt(mqttUrl, issuer);
  expect(hearing()).toEqual({ connectedGateways: 0 });
  const gateways = [signerOf('gateway one'), signerOf('gateway two')];
  const items = gateways.map((gateway) => certificateItem(gateway));
  await authority.publish(batchOf(issuer, 1, items));
  const [first, second] = gateways as [Signer, Signer];
  const one = await writerAt(mqttUrl, first);
  const again = await writerAt(mqttUrl, first);
  await writerAt(mqttUrl, second);
  expect(hearing()).toEqual({ connectedGateways: 2 });
  await one.client.endAsync();
  expect(hearing()).toEqual({ connectedGateways: 2 });
  await again.client.endAsync();
  await expect.poll(hearing).toEqual({ connectedGateways: 1 });
});

it('of a broker of somebody else it is told since when it is there, and of no gateways', async () => {
  const startMs = Date.now();
  const broker = await Aedes.createBroker();
  const server = createServer((socket) => void broker.handle(socket));
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    await new Promise<void>((resolve) => broker.close(() => resolve()));
    await new Promise<void>((resolve) => server.close(() => resolve()));
  });
  const url = `mqtt://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const { hearing } = await openStage(url);
  expect(Object.keys(hearing())).toEqual(['broker']);
  const { sinceMs = NaN, ...state } = hearing().broker ?? {};
  expect(state).toEqual({ url, isConnected: true, failure: undefined, receiptFailure: undefined });
  expect(sinceMs).toBeGreaterThanOrEqual(startMs);
});
