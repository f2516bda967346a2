/**
 * The gateway of stream.ts: is enrolled, seals reports of the deployment's day that prove a contact with each record, and sends them
 * at an even rate through a courier, as gateways do.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { newDayKeys } from '../../authority/days/day-keys.js';
import { dayKeyFiles } from '../../cli/days/day-key-files.js';
import { openFolderClock } from '../../cli/days/folder-clock.js';
import { createKeyFile } from '../../cli/files/key-files.js';
import { waitForRunning } from '../../cli/files/run-files.js';
import { readConfig } from '../../cli/folder/config.js';
import { signerFrom } from '../../cli/folder/deployment.js';
import { folderAt, gatewayFolder } from '../../cli/folder/folder.js';
import type { PartContext } from '../../cli/parts/context.js';
import { startWriter } from '../../cli/parts/writer.js';
import type { Writer } from '../../cli/parts/writer.js';
import { asUnixMs } from '../../protocol/brands.js';
import type { Signer } from '../../protocol/crypto/ed25519.js';
import { silentLog } from '../../protocol/log.js';
import type { BatchItem } from '../../protocol/mqtt/batch.js';
import { encodeGatewayPayload } from '../../protocol/payload/gateway.js';
import {
  encodeGatewayCertificate,
  issueGatewayCertificate,
} from '../../protocol/session/gateway-certificate.js';
import { dayOf } from '../../protocol/time.js';
import { ENTRY_TYPE } from '../../protocol/tlog/entry.js';
import { provingReports } from './proving-reports.js';
import { STREAM } from './stream.js';
import type { FromStream, Streamed } from './stream.js';

const LEDGER_WAIT_MS = 30_000;
const TICK_MS = 2;

async function prepare(context: PartContext) {
  const { folder, clock } = context;
  const { mqtt: mqttUrl } = await waitForRunning(context, 'ledger', LEDGER_WAIT_MS);
  const issuer = await signerFrom(folder.authority.issuerKey);
  const own = gatewayFolder(folder, 'bench');
  await createKeyFile(own.key);
  const gateway = await signerFrom(own.key);
  const keys = newDayKeys(dayOf(clock.nowMs() / 1000), (length) => new Uint8Array(randomBytes(length)));
  await dayKeyFiles(folder.authority.dayKeys).put(keys);
  const asIssuer = { signer: issuer, spoolDir: folder.authority.spool, mqttUrl };
  const authority = await startWriter(context, asIssuer);
  await deliver(authority, certificateOf(issuer, gateway, clock.nowMs()));
  await authority.close();
  const writer = await startWriter(context, { signer: gateway, spoolDir: own.spool, mqttUrl });
  const payloads = provingReports({
    ...{ issuer, gateway, keys, atSeconds: clock.nowMs() / 1000 },
    ...{ reports: STREAM.reportsPerSecond * STREAM.seconds, records: STREAM.records },
  });
  return { writer, payloads };
}

function certificateOf(issuer: Signer, gateway: Signer, nowMs: number): BatchItem {
  const fromDay = dayOf(nowMs / 1000);
  const days = { fromDay, toDay: fromDay + 1 };
  const certificate = encodeGatewayCertificate(
    issueGatewayCertificate(issuer, { gatewayPublicKey: gateway.publicKey, ...days }),
  );
  const payload = encodeGatewayPayload({ kind: 'enrolled', salt: randomBytes(16), certificate });
  return { type: ENTRY_TYPE.gateway, timeMs: asUnixMs(nowMs), payload };
}

async function deliver({ courier }: Writer, item: BatchItem): Promise<void> {
  for (const posted of await courier.post([item])) {
    const delivery = await posted.delivered();
    if (delivery.index === undefined) throw new Error(`the ledger refused: ${delivery.refusal}`);
  }
}

/** Each waits for its receipt while others are sent. */
async function stream(
  writer: Writer,
  payloads: readonly Uint8Array[],
  { clock }: PartContext,
): Promise<Streamed> {
  const startMs = performance.now();
  const deliveries: Promise<void>[] = [];
  while (deliveries.length < payloads.length) {
    const elapsed = (performance.now() - startMs) / 1000;
    const due = Math.min(payloads.length, Math.floor(elapsed * STREAM.reportsPerSecond));
    for (const payload of payloads.slice(deliveries.length, due)) {
      const timeMs = asUnixMs(Math.floor(clock.nowMs()));
      deliveries.push(deliver(writer, { type: ENTRY_TYPE.tagReport, timeMs, payload }));
    }
    await sleep(TICK_MS);
  }
  await Promise.all(deliveries);
  return { reports: payloads.length, seconds: (performance.now() - startMs) / 1000 };
}

const tell = (message: FromStream): void => void process.send?.(message);

async function main(dir: string): Promise<void> {
  const folder = folderAt(dir);
  const { signal } = new AbortController();
  const [config, clock] = [await readConfig(folder), await openFolderClock(folder)];
  const context = { folder, config, clock, log: silentLog, signal };
  const { writer, payloads } = await prepare(context);
  process.once('message', () => void stream(writer, payloads, context).then(tell, failed));
  tell('ready');
}

function failed(error: unknown): void {
  tell({ failed: error instanceof Error ? (error.stack ?? '') : String(error) });
}

process.once('disconnect', () => process.exit(0));
main(process.argv[2] ?? '').catch(failed);
