/**
 * The gateways of `npm run bench -- ingest`, a process of their own: an MQTT client each, and sealed, signed, distinct
 * reports made before anything is measured. Each sends as its courier does (courier.ts): four batches under way, the next
 * one formed of what has come by then, of up to 256 entries and 1 MiB.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import mqtt, { type MqttClient } from 'mqtt';
import {
  batchHash,
  batchItemSize,
  BATCH_OVERHEAD,
  encodeBatch,
  MAX_BATCH_ITEMS,
} from '../protocol/mqtt/batch.js';
import type { BatchItem } from '../protocol/mqtt/batch.js';
import { asUnixMs } from '../protocol/brands.js';
import { fromHex, toHex } from '../protocol/bytes.js';
import { makeConnectToken } from '../protocol/mqtt/connect-token.js';
import { issueCredential } from '../protocol/tag/credential.js';
import { fastSigner } from '../protocol/crypto/ed25519.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { ENTRY_TYPE } from '../protocol/tlog/entry.js';
import { refusalNumber } from '../protocol/errors.js';
import { issuerIdOf, partyIdOf } from '../protocol/keys.js';
import { openLedgerReceipt } from '../protocol/mqtt/ledger-receipt.js';
import { encodeReportPlaintext } from '../protocol/tag/report-plaintext.js';
import { sealReport } from '../protocol/tag/report.js';
import { dayOf, epochOf } from '../protocol/time.js';
import { entriesTopic, receiptsTopic } from '../protocol/mqtt/topics.js';
import { x25519KeyPair } from '../protocol/crypto/x25519.js';
import { randomRecords } from './random-records.js';
import type { FromGateways, IngestCase, IngestPlan, IngestResult, ToGateways } from './ingest-plan.js';

const UNDER_WAY = 4;
const MAX_BATCH_BYTES = 1_048_576;
const BUSY_PAUSE_MS = 200;
const TICK_MS = 2;

interface Sent {
  readonly bytes: Uint8Array;
  readonly arrivedMs: readonly number[];
  readonly publishedMs: number;
}

/** Makes reports that differ in everything but day and issuer; no two share a credential or a key. */
function reportMaker(issuer: Signer, gatewayId: Uint8Array) {
  const sealing = x25519KeyPair();
  const issuerId = issuerIdOf(issuer.publicKey);
  const prev = new Uint8Array(32);
  let seq = 0;
  return (records: number): BatchItem => {
    const timeMs = asUnixMs(Date.now());
    const signer = fastSigner(randomBytes(32));
    const epoch = epochOf(timeMs / 1000);
    const body = { epoch, ephId: randomBytes(16), epochPublicKey: signer.publicKey };
    const plaintext = encodeReportPlaintext({ seq: seq++, prev, records: randomRecords(records, timeMs) });
    const payload = sealReport({
      issuerId,
      day: dayOf(timeMs / 1000),
      credential: issueCredential(issuer, body),
      signer,
      gatewayId,
      nonce: randomBytes(16),
      sealingPublicKey: sealing.publicKey,
      plaintext,
    });
    return { type: ENTRY_TYPE.tagReport, timeMs, payload };
  };
}

class BenchGateway {
  readonly writerId: Uint8Array;
  readonly #signer: Signer;
  readonly #receiptKey: Uint8Array;
  readonly #client: MqttClient;
  readonly #underWay = new Map<string, Sent>();
  #waiting: { readonly item: BatchItem; readonly arrivedMs: number }[] = [];
  #formed: { readonly bytes: Uint8Array; readonly arrivedMs: readonly number[] }[] = [];
  #seq = 0;
  #onReceipted: (sent: Sent, nowMs: number) => void = () => {};
  busy = 0;
  batches = 0;

  constructor(signer: Signer, client: MqttClient, receiptKey: Uint8Array) {
    this.#signer = signer;
    this.writerId = partyIdOf(signer.publicKey);
    this.#client = client;
    this.#receiptKey = receiptKey;
    client.on('message', (_topic, payload) => this.#receipted(payload));
  }

  begin(onReceipted: (sent: Sent, nowMs: number) => void): void {
    this.#onReceipted = onReceipted;
    this.busy = 0;
    this.batches = 0;
  }

  /** Reports come in from tags; a batch is formed as soon as there is room under way. */
  take(items: readonly BatchItem[], arrivedMs: number): void {
    for (const item of items) this.#waiting.push({ item, arrivedMs });
    this.#send();
  }

  /** Batches of all of these, signed now and sent by {@link flush}. */
  form(items: readonly BatchItem[]): void {
    this.#waiting = items.map((item) => ({ item, arrivedMs: 0 }));
    const formed = [];
    for (let next = this.#next(); next !== undefined; next = this.#next()) formed.push(next);
    this.#formed = formed;
  }

  flush(): void {
    this.#send();
  }

  #next() {
    const ready = this.#formed.shift();
    if (ready !== undefined || this.#waiting.length === 0) return ready;
    let bytes = BATCH_OVERHEAD;
    let count = 0;
    for (const { item } of this.#waiting.slice(0, MAX_BATCH_ITEMS)) {
      bytes += batchItemSize(item);
      if (bytes > MAX_BATCH_BYTES) break;
      count += 1;
    }
    const taken = this.#waiting.splice(0, count);
    const items = taken.map(({ item }) => item);
    const batch = { writerId: this.writerId, seq: this.#seq++, items };
    return { bytes: encodeBatch(batch, this.#signer), arrivedMs: taken.map(({ arrivedMs }) => arrivedMs) };
  }

  #send(): void {
    while (this.#underWay.size < UNDER_WAY) {
      const next = this.#next();
      if (next === undefined) return;
      this.batches += 1;
      this.#publish({ ...next, publishedMs: performance.now() });
    }
  }

  #publish(sent: Sent): void {
    this.#underWay.set(toHex(batchHash(sent.bytes)), sent);
    this.#client.publish(entriesTopic(this.writerId), Buffer.from(sent.bytes), { qos: 1 }, (error) => {
      if (error) throw error;
    });
  }

  #receipted(bytes: Uint8Array): void {
    const nowMs = performance.now();
    const receipt = openLedgerReceipt(bytes, this.#receiptKey);
    const name = toHex(receipt.batchHash);
    const sent = this.#underWay.get(name);
    if (sent === undefined) throw new Error('a receipt for a batch that was not sent');
    const reasons = new Set(receipt.outcomes.map(({ reason }) => reason));
    if (reasons.has(refusalNumber('busy'))) {
      this.busy += 1;
      setTimeout(() => this.#publish(sent), BUSY_PAUSE_MS);
      return;
    }
    if (reasons.size > 1 || !reasons.has(0)) throw new Error(`refused for reasons ${[...reasons]}`);
    this.#underWay.delete(name);
    this.#onReceipted(sent, nowMs);
    this.#send();
  }
}

async function connectGateway(plan: IngestPlan, seed: string): Promise<BenchGateway> {
  const signer = fastSigner(fromHex(seed));
  const token = makeConnectToken(signer, Date.now(), randomBytes(16));
  const client = await mqtt.connectAsync(plan.brokerUrl, { ...token, reconnectPeriod: 0 });
  client.on('close', () => process.exit(1));
  const gateway = new BenchGateway(signer, client, fromHex(plan.receiptKey));
  await client.subscribeAsync(receiptsTopic(gateway.writerId), { qos: 1 });
  return gateway;
}

/** Sends reports at an even rate, round the gateways. */
async function pace(gateways: readonly BenchGateway[], lists: readonly BatchItem[][], perSecond: number) {
  const startMs = performance.now();
  const total = lists.reduce((sum, list) => sum + list.length, 0);
  for (let sent = 0; sent < total;) {
    const nowMs = performance.now();
    for (const due = Math.min(total, ((nowMs - startMs) / 1000) * perSecond); sent < due; sent++) {
      const which = sent % gateways.length;
      const item = lists[which]?.[Math.floor(sent / gateways.length)];
      if (item !== undefined) gateways[which]?.take([item], nowMs);
    }
    await sleep(TICK_MS);
  }
}

async function runCase(
  gateways: readonly BenchGateway[],
  lists: BatchItem[][],
  { reports, reportsPerSecond }: IngestCase,
): Promise<IngestResult> {
  if (reportsPerSecond === undefined) gateways.forEach((gateway, i) => gateway.form(lists[i] ?? []));
  const publishToReceiptMs: number[] = [];
  const arrivalToReceiptMs: number[] = [];
  let finish = (): void => {};
  const finished = new Promise<void>((resolve) => (finish = resolve));
  const startMs = performance.now();
  const cpu = process.cpuUsage();
  for (const gateway of gateways) {
    gateway.begin(({ arrivedMs, publishedMs }, nowMs) => {
      for (const arrived of arrivedMs) {
        publishToReceiptMs.push(nowMs - publishedMs);
        arrivalToReceiptMs.push(nowMs - (arrived || startMs));
      }
      if (publishToReceiptMs.length === reports) finish();
    });
  }
  if (reportsPerSecond === undefined) for (const gateway of gateways) gateway.flush();
  else await pace(gateways, lists, reportsPerSecond);
  await finished;
  const { user, system } = process.cpuUsage(cpu);
  return {
    seconds: (performance.now() - startMs) / 1000,
    batches: gateways.reduce((sum, { batches }) => sum + batches, 0),
    busy: gateways.reduce((sum, { busy }) => sum + busy, 0),
    publishToReceiptMs,
    arrivalToReceiptMs,
    cpuSeconds: (user + system) / 1e6,
  };
}

const tell = (message: FromGateways): void => void process.send?.(message);

async function main(plan: IngestPlan): Promise<void> {
  const startMs = performance.now();
  const issuer = fastSigner(fromHex(plan.issuerSeed));
  const makers = plan.gatewaySeeds.map((seed) =>
    reportMaker(issuer, partyIdOf(fastSigner(fromHex(seed)).publicKey)),
  );
  const prepared = plan.cases.map(({ records, reports }) =>
    makers.map((make, i) =>
      Array.from({ length: Math.floor((reports + makers.length - 1 - i) / makers.length) }, (): BatchItem =>
        make(records),
      ),
    ),
  );
  const gateways = await Promise.all(plan.gatewaySeeds.map((seed) => connectGateway(plan, seed)));
  process.on('message', ({ run }: ToGateways) => {
    const lists = prepared[run] ?? [];
    const one = plan.cases[run];
    if (one === undefined) return;
    prepared[run] = [];
    void runCase(gateways, lists, one).then((result) => tell({ kind: 'result', result }));
  });
  tell({ kind: 'ready', preparedInSeconds: (performance.now() - startMs) / 1000 });
}

process.once('disconnect', () => process.exit(0));
process.once('message', (plan: IngestPlan) => void main(plan));
