/** A tag or a gateway of `npm run bench -- ble`: noble and bleno are one instance per process. */
import { randomBytes } from 'node:crypto';
import { setTimeout as pause } from 'node:timers/promises';
import { runGatewaySession } from '../firmware-sim/live/gateway-session.js';
import type { SessionTag } from '../firmware-sim/live/gateway-session.js';
import { openGateway } from '../gateway/gateway.js';
import { liveClock } from '../host/clock-live.js';
import { encodeAdvert } from '../protocol/tag/beacon.js';
import { concat, fromHex, toHex } from '../protocol/bytes.js';
import { issueCredential } from '../protocol/tag/credential.js';
import { encodeDayKeyStatement, issueDayKeyStatement } from '../protocol/session/day-key-statement.js';
import { fastSigner } from '../protocol/crypto/ed25519.js';
import type { Signer } from '../protocol/crypto/ed25519.js';
import { asError, FirebreakError } from '../protocol/errors.js';
import { isGatewayAdvert } from '../protocol/session/gateway-advert.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../protocol/session/gateway-certificate.js';
import type { Hello } from '../protocol/session/hello.js';
import { issuerIdOf, partyIdOf } from '../protocol/keys.js';
import { silentLog } from '../protocol/log.js';
import { encodeReportPlaintext } from '../protocol/tag/report-plaintext.js';
import { reportHash, sealReport } from '../protocol/tag/report.js';
import { DEFAULT_SETTINGS } from '../protocol/settings.js';
import type { TagReceipt } from '../protocol/session/tag-receipt.js';
import { dayOf, epochOf } from '../protocol/time.js';
import { DAY_KEYS_TOPIC } from '../protocol/mqtt/topics.js';
import { openBleRadio } from '../radio/ble/open-ble-radio.js';
import type { Radio } from '../radio/contract.js';
import { staticAddressOf } from '../radio/static-address.js';
import type { FromNode, GatewayResult, NodePlan, TagResult, ToNode } from './ble-plan.js';
import { randomRecords } from './random-records.js';

const RETRY_MS = 150;
/** A gateway heard this long ago is still there. */
const RECENT_MS = 5_000;
/** After the last session, for a report that still has no receipt. */
const LAST_TRIES_MS = 60_000;

const clock = liveClock();
const stop = new AbortController();

/** The tag of a session: one report each, its records sealed for the gateway at hand. */
class OneReport implements SessionTag {
  readonly issuerPublicKey: Uint8Array;
  readonly awaitsPack = false;
  readonly random = randomBytes;
  readonly #issuer: Signer;
  readonly #plaintext: Uint8Array;
  #hash = '';
  /** The hash of what was receipted. */
  receipted: string | undefined;

  constructor(issuer: Signer, seq: number, records: number) {
    this.#issuer = issuer;
    this.issuerPublicKey = issuer.publicKey;
    const all = randomRecords(records, Date.now());
    this.#plaintext = encodeReportPlaintext({ seq, prev: new Uint8Array(32), records: all });
  }

  epoch(): number {
    return epochOf(Date.now() / 1000);
  }

  meet(): void {}

  nextReport(hello: Hello): Uint8Array | undefined {
    if (this.receipted !== undefined) return undefined;
    const signer = fastSigner(randomBytes(32));
    const epoch = epochOf(Date.now() / 1000);
    const body = { epoch, ephId: randomBytes(16), epochPublicKey: signer.publicKey };
    const report = sealReport({
      issuerId: issuerIdOf(this.#issuer.publicKey),
      day: hello.today.day,
      sealingPublicKey: hello.today.sealingPublicKey,
      credential: issueCredential(this.#issuer, body),
      gatewayId: partyIdOf(hello.certificate.gatewayPublicKey),
      nonce: hello.nonce,
      plaintext: this.#plaintext,
      signer,
    });
    this.#hash = toHex(reportHash(report));
    return report;
  }

  settle({ refusal }: TagReceipt): void {
    if (refusal === undefined) this.receipted = this.#hash;
  }

  takePack(): void {}
  readNotices(): void {}
}

class BenchTag {
  readonly #radio: Radio;
  readonly #plan: NodePlan;
  readonly #gateways = new Map<string, number>();
  readonly #result = { sessionMs: [] as number[], connectMs: [] as number[], receipted: [] as string[] };
  readonly #retried: Record<string, number> = {};
  #reports = 0;
  #beacons = 0;

  constructor(radio: Radio, plan: NodePlan) {
    this.#radio = radio;
    this.#plan = plan;
  }

  async start(): Promise<void> {
    await this.#radio.scanner.start(({ address, advert }) => {
      if (isGatewayAdvert(advert)) this.#gateways.set(address, performance.now());
      else this.#beacons += 1;
    });
    const advert = encodeAdvert({ txPowerDbm: 0, ephId: randomBytes(16), mac: randomBytes(6) });
    const { beaconIntervalMs: intervalMs, beaconJitter: jitter } = DEFAULT_SETTINGS;
    const place = { address: staticAddressOf(randomBytes(6)), phaseMs: Math.random() * intervalMs };
    await this.#radio.advertiser.set({
      ...place,
      advert,
      intervalMs,
      jitter,
      txPowerDbm: 0,
      connectable: false,
    });
  }

  async run(signal: AbortSignal): Promise<TagResult> {
    const issuer = fastSigner(fromHex(this.#plan.issuerSeed));
    while (!signal.aborted) {
      await pause(this.#plan.everyMs * (0.5 + Math.random()), undefined, { signal }).catch(() => undefined);
      if (signal.aborted) break;
      await this.#deliver(new OneReport(issuer, this.#reports++, this.#plan.records), signal);
    }
    return { ...this.#result, retried: this.#retried, reports: this.#reports, beaconsHeard: this.#beacons };
  }

  /** Tries until there is a receipt; when all is over, for a minute more. */
  async #deliver(report: OneReport, signal: AbortSignal): Promise<void> {
    let endMs = Infinity;
    while (report.receipted === undefined && performance.now() < endMs) {
      const failure = await this.#session(report);
      if (failure !== undefined) this.#retried[failure] = (this.#retried[failure] ?? 0) + 1;
      if (failure !== undefined) await pause(RETRY_MS * (0.5 + Math.random()));
      if (signal.aborted) endMs = Math.min(endMs, performance.now() + LAST_TRIES_MS);
    }
    if (report.receipted !== undefined) this.#result.receipted.push(report.receipted);
  }

  /** The reason for which it failed. */
  async #session(report: OneReport): Promise<string | undefined> {
    const nowMs = performance.now();
    const near = [...this.#gateways].filter(([, heardMs]) => nowMs - heardMs < RECENT_MS);
    const [address] = near[Math.floor(Math.random() * near.length)] ?? [];
    if (address === undefined) return 'no-gateway-heard';
    try {
      const link = await this.#radio.central.connect(address);
      const connectMs = performance.now() - nowMs;
      const { endedBy } = await runGatewaySession(link, report);
      if (endedBy !== undefined) return endedBy;
      this.#result.connectMs.push(connectMs);
      this.#result.sessionMs.push(performance.now() - nowMs);
      return undefined;
    } catch (error) {
      return error instanceof FirebreakError ? error.code : asError(error).message;
    }
  }
}

async function runGateway(radio: Radio, plan: NodePlan): Promise<() => Promise<GatewayResult>> {
  const issuer = fastSigner(fromHex(plan.issuerSeed));
  const signer = fastSigner(randomBytes(32));
  const today = dayOf(Date.now() / 1000);
  const certified = { gatewayPublicKey: signer.publicKey, fromDay: today, toDay: today + 6 };
  const certificate = encodeGatewayCertificate(issueGatewayCertificate(issuer, certified));
  const sealing = fromHex(plan.sealingPublicKey);
  const statements = concat(
    ...[today - 1, today].map((day) => encodeDayKeyStatement(issueDayKeyStatement(issuer, day, sealing))),
  );
  const kept: string[] = [];
  let seq = 0;
  const gateway = await openGateway({
    radio,
    signer,
    certificate: () => certificate,
    issuerPublicKey: issuer.publicKey,
    settings: DEFAULT_SETTINGS,
    courier: {
      post: async (items) => void kept.push(...items.map(({ payload }) => toHex(reportHash(payload)))),
      noCertificateFrom: () => undefined,
    },
    downlink: { subscribe: async (topic, listen) => void (topic === DAY_KEYS_TOPIC && listen(statements)) },
    statements: { load: async () => undefined, save: async () => undefined },
    noticeStore: { load: async () => undefined, save: async () => undefined },
    presence: { load: async () => undefined, save: async () => undefined },
    presenceSequence: { next: async () => seq++ },
    clock,
    log: silentLog,
    silenceLimitMs: 10_000,
  });
  return async () => {
    const { sessions, timedOut, beaconsHeard } = gateway.status();
    await gateway.close();
    return { kept, sessions, timedOut, beaconsHeard };
  };
}

const tell = (message: FromNode): void => void process.send?.(message);

async function main(plan: NodePlan): Promise<void> {
  const adapter = { kind: 'unix', path: plan.socket } as const;
  const own = { scanAdapter: adapter, advertiseAdapter: adapter, stack: plan.stack };
  const radio = await openBleRadio({ ...own, clock, log: silentLog });
  if (plan.role === 'gateway') {
    const end = await runGateway(radio, plan);
    tell({ kind: 'up' });
    stop.signal.addEventListener(
      'abort',
      () => void end().then((result) => tell({ kind: 'gateway', result })),
    );
    return;
  }
  const tag = new BenchTag(radio, plan);
  await tag.start();
  tell({ kind: 'up' });
  tell({ kind: 'tag', result: await tag.run(stop.signal) });
}

process.once('disconnect', () => process.exit(0));
process.on('message', (message: ToNode) => {
  if (message.kind === 'plan') void main(message.plan);
  else if (message.kind === 'memory') tell({ kind: 'memory', bytes: process.memoryUsage().rss });
  else stop.abort();
});
